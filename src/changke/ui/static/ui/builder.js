// The segment builder: draws a tree of conditions as nested groups of plain form controls, keeps it as JSON in the form's hidden
// field and asks the server for count, sentence and problems after each change. The server's language of trees is rules/segments.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("builder-data").textContent);
  const words = data.words;
  const host = document.getElementById("builder");
  const live = document.getElementById("live");
  const form = host.closest("form");
  const hidden = form.elements.tree;
  const fields = new Map(data.groups.flatMap((group) => group.fields.map((field) => [field.key, field])));
  const SCORES = new Set(["r_score", "f_score", "m_score", "spending_power"]);
  const WAIT_MS = 250;
  let serial = 0;
  let root = fromJson(data.segment.where);
  let pick = data.segment.pick || null;

  // ---- model: {group, any, not, parts} and {field, not, value}; JSON is made from it and read into it ----

  function fromJson(node, negated = false) {
    if (node.kind === "not") return fromJson(node.part, !negated);
    if (node.kind === "all" || node.kind === "any") {
      return { group: true, any: node.kind === "any", not: negated, parts: node.parts.map((part) => fromJson(part)) };
    }
    const { kind, ...value } = node;
    return { key: keyOf(node), not: negated, kind, value };
  }

  function keyOf(node) {
    if ("field" in node) return "field:" + node.field;
    return node.kind.startsWith("birthday") ? "birthday" : node.kind;
  }

  function toJson(node) {
    const told = node.group
      ? { kind: node.any ? "any" : "all", parts: node.parts.map(toJson) }
      : { kind: node.kind, ...clean(node.value) };
    return node.not ? { kind: "not", part: told } : told;
  }

  function clean(value) {
    return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== null && held !== undefined && held !== ""));
  }

  function segmentJson() {
    const where = root.group && !root.not ? toJson(root) : { kind: "all", parts: [toJson(root)] };
    return pick ? { where, pick } : { where };
  }

  function begin(key) {
    const field = fields.get(key);
    const name = field.field;
    switch (field.kind) {
      case "number": return SCORES.has(name) || name === "rfm_cell"
        ? { kind: "choice", value: { field: name, values: name === "rfm_cell" ? [555] : [5] } }
        : { kind: "number", value: { field: name, low: field.unit === "ppm" ? 500000 : 1 } };
      case "word": return { kind: "choice", value: { field: name, values: [field.choices[0][0]] } };
      case "reference": return { kind: "choice", value: { field: name, values: [] } };
      case "date": return { kind: "date_within", value: { field: name, days: 30 } };
      case "flag": return { kind: "flag", value: { field: name, value: true } };
      case "bought": return { kind: "bought", value: { last_days: 90, times_low: 1 } };
      case "birthday": return { kind: "birthday_within", value: { days: 7 } };
      case "tags": return { kind: "tags", value: { mode: "any", tags: [] } };
      case "consent": return { kind: "consent", value: { consent: data.consents[0][0], granted: true } };
      case "attribute": return { kind: "attribute", value: { name: data.attributes[0] ? data.attributes[0].key : "", values: [] } };
      case "segment": return { kind: "segment", value: { segment_id: null } };
      default: return { kind: "random_share", value: { share_ppm: 100000, seed: 1 } };
    }
  }

  // ---- drawing ----

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  function draw(focus) {
    host.replaceChildren(drawGroup(root, [], null));
    if (focus) { const found = document.getElementById(focus); if (found) found.focus(); }
    changed();
  }

  function drawGroup(node, place, parent) {
    const title = make("legend", {}, words.who, " ", negation(node, words.meet, words.not_meet), " ",
      choose([["all", words.all], ["any", words.any]], node.any ? "any" : "all", words.how, (value) => { node.any = value === "any"; changed(); }));
    const rows = node.parts.map((part, index) => {
      const here = [...place, index + 1];
      return part.group ? drawGroup(part, here, node) : drawCondition(part, here, node);
    });
    const foot = make("div", { class: "ck-builder-foot" },
      button("add", words.condition, () => { node.parts.push({ key: "field:life_class", not: false, ...begin("field:life_class") }); draw(idOf([...place, node.parts.length])); }),
      button("account_tree", words.group, () => { node.parts.push({ group: true, any: !node.any, not: false, parts: [] }); draw(); }),
      parent ? button("delete", words.remove, () => { parent.parts.splice(parent.parts.indexOf(node), 1); draw(); }) : null);
    const empty = node.parts.length || parent ? null : make("p", { class: "ck-muted" }, words.everybody);
    return make("fieldset", { class: "ck-builder-group", "data-place": place.join(".") || "1" }, title, empty, ...rows, foot);
  }

  function drawCondition(node, place, parent) {
    const select = make("select", { id: idOf(place), "aria-label": words.field, onchange: (event) => {
      node.key = event.target.value;
      Object.assign(node, begin(node.key));
      draw(idOf(place));
    } });
    for (const group of data.groups) {
      const list = make("optgroup", { label: group.label });
      for (const field of group.fields) {
        const unusable = field.kind === "attribute" && !data.attributes.length;
        list.append(make("option", { value: field.key, selected: field.key === node.key, disabled: unusable }, field.label));
      }
      select.append(list);
    }
    const remove = make("button", { type: "button", class: "ck-icon-button", "aria-label": words.remove, onclick: () => {
      parent.parts.splice(parent.parts.indexOf(node), 1);
      draw();
    } }, icon("close"));
    return make("div", { class: "ck-builder-row", "data-place": place.join(".") }, negation(node), select,
      make("div", { class: "ck-builder-controls" }, ...controls(node, place)), remove);
  }

  function idOf(place) { return "condition-" + place.join("-"); }

  function negation(node, is = words.is, not = words.not) {
    return choose([["is", is], ["not", not]], node.not ? "not" : "is", words.how, (value) => { node.not = value === "not"; changed(); });
  }

  function controls(node, place) {
    const field = fields.get(node.key);
    const value = node.value;
    switch (field.kind) {
      case "number": return SCORES.has(field.field) ? [...scoreControls(node)]
        : field.field === "rfm_cell" ? [cells(value)] : [kindOf(node, place, [["number", words.range], ["unknown", words.unknown]]), ...(node.kind === "number" ? range(value, "low", "high", field.unit) : [])];
      case "word": return [kindOf(node, place, [["choice", words.one_of], ["unknown", words.unknown]]),
        ...(node.kind === "choice" ? [boxes(field.choices, value.values, (chosen) => { value.values = chosen; changed(); })] : [])];
      case "reference": return [kindOf(node, place, [["choice", words.one_of], ["unknown", words.unknown]]),
        ...(node.kind === "choice" ? [picker(field.unit, value, "values", field.label)] : [])];
      case "date": return dates(node, place, value);
      case "flag": return [choose([["yes", words.yes], ["no", words.no]], value.value === false ? "no" : "yes", words.how, (chosen) => { value.value = chosen === "yes"; changed(); })];
      case "birthday": return [kindOf(node, place, [["birthday_within", words.birthday_within], ["birthday_month", words.birthday_month]]),
        node.kind === "birthday_within" ? whole(value, "days", words.days) : whole(value, "months_ahead", words.months_ahead)];
      case "tags": return [choose([["any", words.any_tag], ["all", words.all_tags], ["none", words.no_tag]], value.mode, words.how, (mode) => { value.mode = mode; changed(); }),
        boxes(data.tags.map((tag) => [tag, tag]), value.tags, (chosen) => { value.tags = chosen; changed(); })];
      case "consent": return [choose([["yes", words.granted], ["no", words.refused]], value.granted === false ? "no" : "yes", words.how, (chosen) => { value.granted = chosen === "yes"; changed(); }),
        choose(data.consents, value.consent, words.field, (chosen) => { value.consent = chosen; changed(); })];
      case "attribute": return attribute(node, place, value);
      case "list": return [make("span", { class: "ck-muted" }, `${value.values.length} ${words.members}`)];
      case "segment": return [picker("segment", value, "segment_id", field.label)];
      case "bought": return bought(node, place, value);
      default: return [percent(value), whole(value, "seed", words.seed)];
    }
  }

  function scoreControls(node) {
    const five = [5, 4, 3, 2, 1].map((score) => [score, String(score)]);
    return [boxes(five, node.value.values || [], (chosen) => { node.kind = "choice"; node.value = { field: node.value.field, values: chosen }; changed(); })];
  }

  function cells(value) {
    return text((value.values || []).join(", "), words.cells, (typed) => {
      value.values = typed.split(/[\s,，、]+/).filter(Boolean).map(Number).filter(Number.isInteger);
      changed();
    });
  }

  function dates(node, place, value) {
    const how = kindOf(node, place, [["date_within", words.within], ["date_between", words.between], ["unknown", words.unknown]]);
    if (node.kind === "date_within") return [how, whole(value, "days", words.days)];
    if (node.kind === "date_between") return [how, day(value, "first", words.from), day(value, "last", words.to)];
    return [how];
  }

  function attribute(node, place, value) {
    const list = data.attributes.map((row) => [row.key, row.label]);
    const chosen = data.attributes.find((row) => row.key === value.name);
    const select = choose(list, value.name, words.field, (key) => { value.name = key; value.values = []; draw(idOf(place)); });
    if (chosen && chosen.choices.length) return [select, boxes(chosen.choices.map((one) => [one, one]), value.values || [], (values) => { value.values = values; changed(); })];
    return [select, text((value.values || []).join(", "), words.values, (typed) => { value.values = typed.split(/[,，、]/).map((one) => one.trim()).filter(Boolean); changed(); })];
  }

  function bought(node, place, value) {
    const when = value.last_days !== undefined && value.last_days !== null ? "within" : value.first !== undefined || value.last !== undefined ? "between" : "ever";
    const set = (mode) => {
      delete value.last_days; delete value.first; delete value.last;
      if (mode === "within") value.last_days = 90;
      if (mode === "between") { value.first = ""; value.last = ""; }
      draw(idOf(place));
    };
    const hours = Array.from({ length: 24 }, (_, hour) => [hour, String(hour)]);
    return [make("div", { class: "ck-builder-bought" },
      labelled(words.when, choose([["within", words.within], ["between", words.between], ["ever", words.ever]], when, words.when, set),
        when === "within" ? whole(value, "last_days", words.days) : null,
        when === "between" ? day(value, "first", words.from) : null, when === "between" ? day(value, "last", words.to) : null),
      labelled(words.how_often, ...range(value, "times_low", "times_high", "count", words.times)),
      labelled(words.how_much, ...range(value, "amount_low_minor", "amount_high_minor", "money", words.amount), ...range(value, "quantity_low_milli", "quantity_high_milli", "quantity", words.quantity)),
      labelled(words.categories, picker("category", value, "categories", words.categories)),
      labelled(words.products, picker("product", value, "products", words.products)),
      labelled(words.brands, picker("brand", value, "brands", words.brands)),
      labelled(words.stores, picker("store", value, "stores", words.stores)),
      labelled(words.weekdays, boxes(data.weekdays, value.weekdays || [], (chosen) => { value.weekdays = chosen; changed(); })),
      labelled(words.hours, boxes(hours, value.hours || [], (chosen) => { value.hours = chosen; changed(); })))];
  }

  // ---- small controls ----

  function icon(name) { return make("span", { class: "material-symbols-outlined ck-icon", "aria-hidden": "true", translate: "no" }, name); }
  function button(sign, label, act) { return make("button", { type: "button", class: "ck-button ck-quiet", onclick: act }, icon(sign), label); }
  function labelled(label, ...parts) { return make("div", { class: "ck-builder-part" }, make("span", { class: "ck-muted" }, label), ...parts); }

  function choose(options, value, label, act) {
    const select = make("select", { "aria-label": label, onchange: (event) => act(event.target.value) });
    for (const [key, name] of options) select.append(make("option", { value: key, selected: String(key) === String(value) }, name));
    return select;
  }

  function kindOf(node, place, options) {
    return choose(options, node.kind, words.how, (kind) => {
      const field = node.value.field;
      const fresh = begin(node.key);
      node.kind = kind;
      const given = { number: { low: 1 }, choice: fresh.value, unknown: {}, date_within: { days: 30 }, date_between: { first: "", last: "" }, birthday_within: { days: 7 }, birthday_month: { months_ahead: 0 } }[kind];
      node.value = field ? { ...given, field } : { ...given };
      draw(idOf(place));
    });
  }

  function text(value, label, act) {
    return make("input", { type: "text", value, "aria-label": label, placeholder: label, oninput: (event) => act(event.target.value) });
  }

  function scaleOf(unit) {
    return { money: 10 ** data.money.exponent, quantity: 1000, ppm: 10000 }[unit] || 1;
  }

  function numberBox(value, key, label, unit) {
    const scale = scaleOf(unit);
    const held = value[key];
    return make("label", { class: "ck-builder-number" }, make("span", {}, label), make("input", {
      type: "number", step: scale === 1 ? 1 : "any", value: held === null || held === undefined ? "" : held / scale,
      oninput: (event) => { value[key] = event.target.value === "" ? null : Math.round(Number(event.target.value) * scale); changed(); },
    }), { money: data.money.symbol, ppm: "%" }[unit] || "");
  }

  function range(value, low, high, unit, subject) {
    const prefix = subject ? subject + " " : "";
    if (low === "times_low" && value.times_low === undefined) value.times_low = 1;
    return [numberBox(value, low, prefix + words.from, unit), numberBox(value, high, words.to, unit)];
  }

  function whole(value, key, label) {
    return make("label", { class: "ck-builder-number" }, make("input", {
      type: "number", min: 0, step: 1, value: value[key] ?? 0, oninput: (event) => { value[key] = Math.round(Number(event.target.value)); changed(); },
    }), make("span", {}, label));
  }

  function percent(value) {
    return make("label", { class: "ck-builder-number" }, make("input", {
      type: "number", min: 0, max: 100, step: "any", value: value.share_ppm / 10000,
      oninput: (event) => { value.share_ppm = Math.round(Number(event.target.value) * 10000); changed(); },
    }), make("span", {}, words.share));
  }

  function day(value, key, label) {
    return make("label", { class: "ck-builder-number" }, make("span", {}, label), make("input", {
      type: "date", value: value[key] || "", oninput: (event) => { value[key] = event.target.value || null; changed(); },
    }));
  }

  function boxes(options, chosen, act) {
    const held = new Set(chosen.map(String));
    return make("div", { class: "ck-builder-boxes" }, ...options.map(([key, name]) => make("label", { class: "ck-builder-box" },
      make("input", { type: "checkbox", checked: held.has(String(key)), onchange: (event) => {
        event.target.checked ? held.add(String(key)) : held.delete(String(key));
        act(options.map(([one]) => one).filter((one) => held.has(String(one))));
      } }), make("span", {}, name))));
  }

  // A list of chosen rows and a search box that offers more; one id only where the value is no list.
  function picker(kind, value, key, label) {
    const single = key === "segment_id";
    const names = data.names[kind] || (data.names[kind] = {});
    const chosen = () => (single ? (value[key] ? [value[key]] : []) : value[key] || []);
    const chips = make("div", { class: "ck-builder-chips" });
    const list = make("div", { class: "ck-builder-found", hidden: true });
    const box = make("input", { type: "search", "aria-label": label, placeholder: words.search, autocomplete: "off", oninput: () => look(), onfocus: () => look() });
    let asked = 0;
    function show() {
      chips.replaceChildren(...chosen().map((id) => make("button", { type: "button", class: "ck-chip", "aria-label": words.remove + ": " + (names[id] || id), onclick: () => {
        if (single) value[key] = null; else value[key] = chosen().filter((one) => one !== id);
        show(); changed(); box.focus();
      } }, names[id] || String(id), icon("close"))));
    }
    async function look() {
      const mine = ++asked;
      const answer = await fetch(data.pick_url + "?" + new URLSearchParams({ kind, q: box.value }), { headers: { Accept: "application/json" } });
      if (!answer.ok || mine !== asked) return;
      const rows = (await answer.json()).found.filter(([id]) => !chosen().includes(id));
      list.replaceChildren(...(rows.length ? rows.map(([id, name]) => make("button", { type: "button", onclick: () => {
        names[id] = name;
        if (single) value[key] = id; else value[key] = [...chosen(), id];
        box.value = ""; list.hidden = true; show(); changed(); box.focus();
      } }, name)) : [make("p", { class: "ck-muted" }, words.nothing)]));
      list.hidden = false;
    }
    show();
    const all = make("div", { class: "ck-builder-picker", onfocusout: (event) => { if (!all.contains(event.relatedTarget)) list.hidden = true; },
      onkeydown: (event) => { if (event.key === "Escape") { list.hidden = true; box.focus(); } } }, chips, box, list);
    return all;
  }

  // ---- the live answer ----

  let timer = 0;
  function changed() {
    hidden.value = JSON.stringify(segmentJson());
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  }

  async function ask() {
    const mine = ++serial;
    live.setAttribute("aria-busy", "true");
    try {
      const body = new URLSearchParams({ tree: hidden.value, csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
      const answer = await fetch(data.live_url, { method: "POST", body });
      const html = await answer.text();
      if (mine !== serial) return; // a later change has asked again
      if (!answer.ok) throw new Error(String(answer.status));
      live.innerHTML = html;
      mark();
    } catch {
      if (mine === serial) live.textContent = words.failed;
    }
    if (mine === serial) live.removeAttribute("aria-busy");
  }

  function mark() {
    const wrong = new Set([...live.querySelectorAll("[data-place]")].map((line) => line.dataset.place));
    host.querySelectorAll("[data-place]").forEach((row) => row.classList.toggle("ck-builder-wrong", wrong.has(row.dataset.place)));
  }

  form.addEventListener("submit", () => { hidden.value = JSON.stringify(segmentJson()); });
  if (!root.group || root.not) root = { group: true, any: false, not: false, parts: [root] };
  draw();
})();
