// Draws every [data-chart]: reads its JSON, colours from the tokens, a click follows the point's address.
(function () {
  "use strict";
  const drawn = new Map();
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const seriesColour = (index) => token("series-" + (1 + (index % 6)));
  const language = document.documentElement.lang;
  const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

  function writer(spec) {
    const { symbol, exponent } = spec.money;
    const scale = 10 ** exponent;
    const exact = new Intl.NumberFormat("en", { minimumFractionDigits: exponent, maximumFractionDigits: exponent });
    const writers = {
      money: [(v) => symbol + exact.format(v / scale), (v) => symbol + short.format(v / scale)],
      share: [(v) => whole.format(v / 1e4) + " %", (v) => whole.format(v / 1e4) + " %"],
      decimal: [(v) => whole.format(v / 1e3), (v) => whole.format(v / 1e3)],
    };
    const [long, brief] = writers[spec.kind] || [(v) => whole.format(v), (v) => short.format(v)];
    const guard = (write) => (v) => (v === null || v === undefined ? "–" : write(v));
    return { long: guard(long), brief: guard(brief) };
  }

  function base() {
    return {
      textStyle: { fontFamily: token("sans") || "sans-serif", color: token("text"), fontSize: 12 },
      grid: { left: 8, right: 28, top: 16, bottom: 8, containLabel: true },
      tooltip: {
        renderMode: "richText", confine: true, backgroundColor: token("surface"), borderColor: token("line"),
        textStyle: { color: token("text"), fontSize: 12 }, axisPointer: { lineStyle: { color: token("line-strong") }, shadowStyle: { color: token("sunk"), opacity: 0.6 } },
      },
      animationDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 300,
      aria: { enabled: false }, // the figure has its own label and table
    };
  }
  const quietAxis = (extra) => ({ axisLine: { lineStyle: { color: token("line-strong") } }, axisTick: { show: false }, axisLabel: { color: token("muted"), hideOverlap: true }, splitLine: { lineStyle: { color: token("line") } }, nameTextStyle: { color: token("muted") }, ...extra });
  const legend = (series) => series.length < 2 ? undefined : { top: 0, left: 0, itemWidth: 12, itemHeight: 12, icon: "roundRect", textStyle: { color: token("text") } };
  const valueAxis = (write, extra) => quietAxis({ type: "value", axisLine: { show: false }, axisLabel: { color: token("muted"), hideOverlap: true, formatter: write.brief }, ...extra });
  const point = (value, href, colour) => ({ value, href, ...(colour ? { itemStyle: { color: colour } } : {}) });
  const shared = (write) => (items) => [items[0].axisValueLabel, ...items.map((item) => `${items.length > 1 || item.seriesName ? item.seriesName + "  " : ""}${write.long(item.data && item.data.value)}`)].join("\n");

  function overCategories(spec, write, make) {
    const option = base();
    option.legend = legend(spec.series);
    option.grid.top = option.legend ? 40 : 16;
    option.tooltip = { ...option.tooltip, trigger: "axis", axisPointer: { ...option.tooltip.axisPointer, type: spec.type === "bars" ? "shadow" : "line" }, formatter: shared(write) };
    option.series = spec.series.map(make);
    return option;
  }

  function bars(spec, box) {
    const write = writer(spec);
    const say = spec.kind === "money" ? write.brief : write.long;
    const isLabelled = spec.series.length === 1 && spec.x.length <= (spec.lying ? 20 : 8);
    const option = overCategories(spec, write, (one, index) => ({
      type: "bar", name: one.name, label: { show: isLabelled, position: spec.lying ? "right" : "top", fontSize: 11, color: token("muted"), formatter: (item) => say(item.value) }, stack: spec.stacked ? "all" : undefined, barMaxWidth: 44,
      itemStyle: { color: one.colour ? token(one.colour) : seriesColour(index), borderRadius: spec.stacked ? 0 : spec.lying ? [0, 3, 3, 0] : [3, 3, 0, 0] },
      data: one.values.map((value, at) => point(value, one.hrefs[at], spec.colours && token(spec.colours[at]))),
    }));
    const names = quietAxis({ type: "category", data: spec.x, inverse: Boolean(spec.lying), splitLine: { show: false } });
    if (spec.lying) names.axisLabel = { ...names.axisLabel, width: 110, overflow: "truncate", hideOverlap: false };
    else if (spec.x.length <= 12) names.axisLabel = { ...names.axisLabel, interval: 0, hideOverlap: false, fontSize: 11, width: Math.floor((box.clientWidth - 50) / spec.x.length) - 2, overflow: "break", lineHeight: 14 };
    if (!spec.lying) option.grid.bottom = 20;
    else Object.assign(option.grid, { left: 16, right: isLabelled ? 56 : 28 });
    option.xAxis = spec.lying ? valueAxis(write) : names;
    option.yAxis = spec.lying ? names : valueAxis(write);
    return option;
  }

  function lines(spec) {
    const write = writer(spec);
    const option = overCategories(spec, write, (one, index) => {
      const colour = one.colour ? token(one.colour) : seriesColour(index);
      return {
        type: "line", name: one.name, symbol: "circle", symbolSize: 5, showSymbol: one.values.length < 40,
        lineStyle: { width: 2, type: index % 2 ? "dashed" : "solid" }, itemStyle: { color: colour },
        areaStyle: spec.series.length === 1 ? { opacity: 0.1 } : undefined,
        data: one.values.map((value, at) => point(value, one.hrefs[at])),
        markLine: index === 0 && spec.mark !== null ? { symbol: "none", label: { show: false }, lineStyle: { color: token("line-strong") }, data: [{ xAxis: spec.mark }] } : undefined,
      };
    });
    option.xAxis = quietAxis({ type: "category", data: spec.x, boundaryGap: false, splitLine: { show: false } });
    option.yAxis = valueAxis(write, { scale: spec.kind === "share" });
    return option;
  }

  const ramp = () => [1, 2, 3, 4, 5].map((score) => token("score-" + score));
  const range = (values) => {
    const known = values.filter((value) => value !== null);
    return known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
  };
  function gridOption(spec) {
    const option = base();
    const axis = (data, name, where) => quietAxis({ type: "category", data, name, nameLocation: where === "x" ? "middle" : "end", nameGap: where === "x" ? 28 : 10, nameRotate: 0, splitLine: { show: false }, axisLine: { show: false }, axisLabel: { color: token("muted"), interval: 0, hideOverlap: data.length > 12 } });
    option.xAxis = axis(spec.x, spec.names[0], "x");
    option.yAxis = axis(spec.y, spec.names[1], "y");
    option.grid.bottom = spec.names[0] ? 28 : 8;
    option.grid.top = spec.names[1] ? 28 : 8;
    return option;
  }

  function heat(spec, box) {
    const write = writer(spec);
    const option = gridOption(spec);
    option.yAxis.inverse = true;
    option.xAxis.position = "top";
    option.grid.bottom = 8;
    option.grid.top = spec.names[0] ? 28 : 8;
    const [low, high] = range(spec.cells.map((cell) => cell[2]));
    option.visualMap = { show: false, min: low, max: high || 1, inRange: { color: ramp() }, dimension: 2 };
    option.tooltip.formatter = (item) => `${spec.y[item.value[1]]} · ${spec.x[item.value[0]]}\n${write.long(item.value[2])}`;
    const middle = low + (high - low) * 0.55;
    const isDark = document.documentElement.classList.contains("dark");
    option.series = [{
      type: "heatmap", itemStyle: { borderColor: token("surface"), borderWidth: 2, borderRadius: 3 },
      label: { show: (box.clientWidth - 80) / spec.x.length >= 30, fontSize: 11, formatter: (item) => write.brief(item.value[2]).replace(" %", "") },
      data: spec.cells.filter((cell) => cell[2] !== null).map(([x, y, value, href]) => ({ value: [x, y, value], href, label: { color: (value > middle) === isDark ? "#06201e" : (isDark || value > middle) ? "#fff" : "#103632" } })),
    }];
    return option;
  }

  function map(spec, box) {
    const write = writer(spec);
    const option = gridOption(spec);
    const most = Math.max(1, ...spec.cells.map((cell) => cell[2]));
    const side = Math.min((box.clientWidth - 60) / spec.x.length, (box.clientHeight - 60) / spec.y.length) * 0.94;
    const [low, high] = range(spec.cells.map((cell) => cell[3]));
    option.visualMap = { show: false, min: low, max: high > low ? high : low + 1, inRange: { color: ramp() }, dimension: 3 };
    option.tooltip.formatter = (item) => `${spec.names[0]} ${spec.x[item.value[0]]} · ${spec.names[1]} ${spec.y[item.value[1]]}\n${spec.words[0]}  ${whole.format(item.value[2])}\n${spec.words[1]}  ${write.long(item.value[3])}`;
    option.series = [{
      type: "scatter", symbol: "roundRect", symbolSize: (value) => Math.max(10, side * Math.sqrt(value[2] / most)),
      itemStyle: { borderColor: token("line-strong"), borderWidth: 0.5, opacity: 1 }, emphasis: { scale: 1.05 },
      labelLayout: { hideOverlap: true },
      data: spec.cells.map(([x, y, size, value, href]) => ({
        value: [x, y, size, value], href,
        label: { show: true, position: side * Math.sqrt(size / most) > 34 ? "inside" : "bottom", distance: 2, fontSize: 11, color: side * Math.sqrt(size / most) > 34 ? onRamp((value - low) / ((high - low) || 1)) : token("muted"), formatter: () => whole.format(size) },
      })),
    }];
    return option;
  }
  const onRamp = (place) => document.documentElement.classList.contains("dark") ? (place > 0.7 ? "#06201e" : "#fff") : (place > 0.5 ? "#fff" : "#103632");

  function flow(spec, box) {
    const option = base();
    const isNarrow = box.clientWidth < 600;
    const node = new Map(spec.nodes.map((one) => [one[0], one]));
    option.tooltip.formatter = (item) => item.dataType === "edge"
      ? `${node.get(item.data.source)[1]} → ${node.get(item.data.target)[1]}\n${whole.format(item.value)}`
      : `${item.data.title}\n${whole.format(item.value)}`;
    const depths = Math.max(1, spec.heads.length - 1);
    const right = isNarrow ? 64 : 112, step = (box.clientWidth - 4 - right - 12) / depths;
    option.title = spec.heads.map((text, at) => ({ text: isNarrow ? text.replace(/^\d{4}-(?=\d\d-)/, "") : text, left: 4 + at * step, top: 0, padding: 0, textStyle: { fontSize: 12, fontWeight: 500, color: token("muted") } }));
    option.series = [{
      type: "sankey", top: 26, bottom: 8, left: 4, right, nodeWidth: 12, nodeGap: 10, draggable: false, layoutIterations: 0,
      emphasis: { focus: "adjacency" }, lineStyle: { color: "source", opacity: 0.28 }, label: { color: token("text"), fontSize: 12, formatter: (item) => isNarrow && item.data.depth < depths ? "" : item.data.title },
      data: spec.nodes.map(([name, title, colour, depth]) => ({ name, title, depth, itemStyle: { color: token(colour), borderWidth: 0 } })),
      links: spec.links.map(([source, target, value, href]) => ({ source, target, value, href })),
    }];
    return option;
  }

  function curve(spec) {
    const option = base();
    const axis = (name, where) => quietAxis({ type: "value", min: 0, max: 100, name, nameLocation: "middle", nameGap: where === "x" ? 28 : 44, axisLabel: { color: token("muted"), formatter: "{value} %" } });
    option.xAxis = axis(spec.names[0], "x");
    option.yAxis = axis(spec.names[1], "y");
    option.grid.bottom = 28;
    option.grid.left = 24;
    option.tooltip.trigger = "axis";
    option.tooltip.formatter = (items) => `${spec.names[0]}  ${whole.format(items[0].value[0])} %\n${spec.names[1]}  ${whole.format(items[0].value[1])} %`;
    const colour = token("series-1");
    option.series = [{ type: "line", showSymbol: false, data: spec.points, lineStyle: { width: 2.5 }, itemStyle: { color: colour }, areaStyle: { opacity: 0.1 },
      markPoint: { symbol: "circle", symbolSize: 9, itemStyle: { color: token("series-2"), borderColor: token("surface"), borderWidth: 1 }, label: { position: "right", color: token("text"), distance: 8, formatter: (item) => item.name }, data: spec.marks.map(([x, y, name]) => ({ coord: [x, y], name })) } }];
    if (spec.even) option.series.push({ type: "line", showSymbol: false, silent: true, data: [[0, 0], [100, 100]], lineStyle: { type: "dashed", width: 1, color: token("line-strong") }, itemStyle: { color: token("line-strong") } });
    return option;
  }

  const makers = { bars, lines, heat, map, flow, curve };

  function draw(section) {
    const box = section.querySelector(".ck-chart-canvas");
    const data = document.getElementById(section.id + "-data");
    if (!box || !data || section.dataset.view === "table") return;
    const spec = JSON.parse(data.textContent);
    const isWide = section.classList.contains("ck-chart-wide");
    if (isWide && spec.lying) box.style.maxHeight = `${80 + spec.x.length * (spec.series.length > 1 ? 46 : 34)}px`; // few bars need no tall box
    let chart = drawn.get(section);
    if (!chart) {
      chart = echarts.init(box, null, { renderer: "canvas" });
      chart.on("click", (item) => { if (item.data && item.data.href) location.assign(item.data.href); });
      chart.on("mouseover", (item) => chart.getZr().setCursorStyle(item.data && item.data.href ? "pointer" : "default"));
      new ResizeObserver(() => { if (box.clientWidth) { chart.resize(); if (spec.type !== "lines") draw(section); } }).observe(box);
      drawn.set(section, chart);
    }
    chart.setOption(makers[spec.type](spec, box), true);
  }
  const drawAll = (within) => within.querySelectorAll("[data-chart]").forEach(draw);

  document.addEventListener("click", (event) => {
    const view = event.target.closest("[data-show]");
    if (view) {
      const section = view.closest("[data-chart]");
      section.dataset.view = view.dataset.show;
      section.querySelectorAll("[data-show]").forEach((button) => button.setAttribute("aria-pressed", button === view));
      draw(section);
    }
    const picture = event.target.closest("[data-picture]");
    if (picture) {
      event.preventDefault();
      const section = picture.closest("[data-chart]");
      const link = document.createElement("a");
      link.href = drawn.get(section).getDataURL({ pixelRatio: 2, backgroundColor: token("surface") });
      link.download = section.id + ".png";
      link.click();
    }
  });
  document.addEventListener("changke:theme", () => drawAll(document));
  document.addEventListener("DOMContentLoaded", () => drawAll(document));
  document.addEventListener("htmx:afterSettle", (event) => drawAll(event.target));
})();
