"""How often a member will come again and what that is worth: BG/NBD for visits, Gamma-Gamma for the value of a visit.

Sources: Fader, Hardie, Lee, "Counting Your Customers the Easy Way" (Marketing Science 24, 2005) for BG/NBD; Fader,
Hardie, "The Gamma-Gamma Model of Monetary Value" (2013). Times may be in any unit, the same everywhere; the product
uses days. A visit is a day with a purchase. x = repeat visits (all but the first), t_x = time from the first to the
last, T = time from the first to the analysis date.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import beta, betaln, expit, gammaln, hyp2f1, psi

from changke.kernel.errors import ChangkeError, Problem

Floats: TypeAlias = NDArray[np.float64]

SUMMARY: Final = pa.schema(
    [
        pa.field("member_id", pa.int64()),
        pa.field("visit_days", pa.int64()),  # all days with a purchase, >= 1
        pa.field("span_days", pa.int64()),  # first to last visit
        pa.field("age_days", pa.int64()),  # first visit to the analysis date
        pa.field("net_minor", pa.int64()),  # of all visits, net of returns
    ]
)
PREDICTION: Final = pa.schema(
    [
        pa.field("member_id", pa.int64()),
        pa.field("alive_ppm", pa.int64()),
        pa.field("buys_in_30_days_ppm", pa.int64()),
        pa.field("expected_value_minor", pa.int64()),
    ]
)
SOON_DAYS: Final = 30
REPEATERS_MIN: Final = 30  # fewer members with a second visit say nothing about a third
ROWS_MAX: Final = 10_000  # members in a fit; of more a sample is drawn, which moves the parameters by a few per cent
SAMPLE_SEED: Final = 20_050
PENALTIES: Final = (0.0, 0.001, 0.01, 0.1)  # of squared log parameters, each tried when the one before ran away
STARTS: Final = (0.0, 1.0, -1.0)  # shifts of the log parameters from the first guess
LOG_FLOOR: Final = -9.0
LOG_CEILING: Final = 14.0
PPM: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How a model was fitted: what a reader must know to trust it."""

    converged: bool
    at_bounds: bool  # a parameter ran to the end of its range even with the largest penalty
    penalty: float
    log_likelihood: float  # without penalty
    members: int  # behind the fit: a sample where there are very many


@dataclass(frozen=True, slots=True, kw_only=True)
class BgNbd:
    """Visits are Poisson with a Gamma(r, alpha) rate; after each, a member drops out with a Beta(a, b) chance."""

    r: float
    alpha: float
    a: float
    b: float
    fit: Fit | None = None

    def alive(self, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Floats:
        """Return the probability of not having dropped out: 1 for those without a repeat visit."""
        x, t_x, age = floats(x, t_x, age)
        repeats = np.maximum(x, 1)
        odds = np.log(self.a / (self.b + repeats - 1)) + (self.r + x) * np.log((self.alpha + age) / (self.alpha + t_x))
        return np.where(x > 0, expit(-odds), 1.0)

    def expected_visits(self, time: float, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Floats:
        """Return the visits expected in the next `time`.

        Euler's transformation of the published hypergeometric term keeps it finite for hundreds of visits.
        """
        x, t_x, age = floats(x, t_x, age)
        a = self.a if abs(self.a - 1) > 1e-6 else 1 + 1e-6  # the formula has a limit at a = 1, not a value
        c = a + self.b + x - 1
        pairs, back = np.unique(np.stack([x, age]), axis=1, return_inverse=True)  # the costly term knows only x and T
        z = time / (self.alpha + pairs[1] + time)
        cost = hyp2f1(a + self.b - 1 - self.r, a - 1, a + self.b + pairs[0] - 1, z) * (1 - z) ** (a - 1)
        return self.alive(x, t_x, age) * c / (a - 1) * (1 - cost[back.reshape(x.shape)])

    def visits_within(self, time: float, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Floats:
        """Return the probability of at least one visit in the next `time`.

        A member who is alive stays so until the next visit, whose rate is then Gamma(r + x, alpha + T).
        """
        x, t_x, age = floats(x, t_x, age)
        none = -np.expm1(-(self.r + x) * np.log1p(time / (self.alpha + age)))
        return self.alive(x, t_x, age) * none

    def probability_of_visits(self, n: int, time: float) -> float:
        """Return the probability that a new member makes exactly `n` repeat visits within `time`."""
        z = time / (self.alpha + time)
        j = np.arange(n + 1)
        logs = gammaln(self.r + j) - gammaln(self.r) - gammaln(j + 1) + j * np.log(z) + self.r * np.log1p(-z)
        counts = np.exp(logs)
        stayed = np.exp(betaln(self.a, self.b + n) - betaln(self.a, self.b)) * counts[n]
        if n == 0:
            return float(stayed)
        left = beta(self.a + 1, self.b + n - 1) / beta(self.a, self.b) * (1 - counts[:n].sum())
        return float(stayed + left)


@dataclass(frozen=True, slots=True, kw_only=True)
class GammaGamma:
    """The value of a visit is Gamma(p, nu); nu differs between members as Gamma(q, v), whatever their frequency."""

    p: float
    q: float
    v: float
    fit: Fit | None = None

    def expected_value(self, n: ArrayLike, mean: ArrayLike) -> Floats:
        """Return the value expected of a visit after `n` visits with that mean: between it and the mean of all."""
        n, mean = floats(n, mean)
        return self.p * (self.v + n * mean) / (self.p * n + self.q - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueModel:
    visits: BgNbd
    values: GammaGamma


def fit_bg_nbd(x: ArrayLike, t_x: ArrayLike, age: ArrayLike, *, weights: ArrayLike | None = None) -> BgNbd:
    """Fit BG/NBD by maximum likelihood; `weights` count members with the same history. ChangkeError on bad rows."""
    x, t_x, age = floats(x, t_x, age)
    check_histories(x, t_x, age)
    w = np.ones_like(x) if weights is None else floats(weights)[0]
    repeated, later = x > 0, np.maximum(x, 1) - 1

    def loss(logs: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(logs)
        stayed = -(r + x) * np.log(alpha + age)
        left = np.where(repeated, np.log(a / (b + later)) - (r + x) * np.log(alpha + t_x), -np.inf)
        share = expit(left - stayed)  # that dropped out, of the likelihood
        ends = np.logaddexp(stayed, left)
        total = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b) + ends
        both = psi(a + b) - psi(a + b + x)
        log_time = (1 - share) * np.log(alpha + age) + share * np.log(alpha + t_x)
        slopes = np.array(
            [
                r * (w @ (psi(r + x) - psi(r) + np.log(alpha) - log_time)),
                alpha * (w @ (r / alpha - (r + x) * ((1 - share) / (alpha + age) + share / (alpha + t_x)))),
                a * (w @ (both + share / a)),
                b * (w @ (both + psi(b + x) - psi(b) - share / (b + later))),
            ]
        )
        return -float(w @ total), -slopes

    guess = np.log([1.0, max(float(np.average(age, weights=w)), 1e-6), 1.0, 3.0])
    logs, fit = fit_guarded(loss, guess=guess, members=int(w.sum()))
    r, alpha, a, b = (float(value) for value in np.exp(logs))
    return BgNbd(r=r, alpha=alpha, a=a, b=b, fit=fit)


def fit_gamma_gamma(n: ArrayLike, mean: ArrayLike, *, weights: ArrayLike | None = None) -> GammaGamma:
    """Fit Gamma-Gamma on members with `n` >= 1 visits of a positive mean value; ChangkeError on others."""
    n, mean = floats(n, mean)
    check_values(n, mean)
    w = np.ones_like(n) if weights is None else floats(weights)[0]
    scale = float(np.average(mean, weights=w))  # a currency has no say in the fit
    m = mean / scale

    def natural(logs: Floats) -> Floats:
        return np.exp(logs) + np.array([0, 1, 0])  # q > 1: below, the mean value of all would be infinite

    def loss(logs: Floats) -> tuple[float, Floats]:
        p, q, v = natural(logs)
        pn, whole = p * n, n * m + v
        total = (
            gammaln(pn + q) - gammaln(pn) - gammaln(q) + q * np.log(v)
            + (pn - 1) * np.log(m) + pn * np.log(n) - (pn + q) * np.log(whole)
        )  # fmt: skip
        slopes = np.array(
            [
                p * (w @ (n * (psi(pn + q) - psi(pn) + np.log(m) + np.log(n) - np.log(whole)))),
                (q - 1) * (w @ (psi(pn + q) - psi(q) + np.log(v) - np.log(whole))),
                v * (w @ (q / v - (pn + q) / whole)),
            ]
        )
        return -float(w @ total), -slopes

    logs, fit = fit_guarded(loss, guess=np.log([2.0, 2.0, 1.0]), members=int(w.sum()))
    p, q, v = (float(value) for value in natural(logs))
    return GammaGamma(p=p, q=q, v=v * scale, fit=fit)


def fit_guarded(loss: Callable[[Floats], tuple[float, Floats]], *, guess: Floats, members: int) -> tuple[Floats, Fit]:
    """Return the log parameters with the least loss from several starts, and how they were found.

    A likelihood that rises for ever carries its parameters to the end of their range: then the fit is repeated with a
    growing penalty that draws them back to the guess.
    """
    bounds = [(LOG_FLOOR, LOG_CEILING)] * len(guess)
    for penalty in PENALTIES:

        def penalised(logs: Floats, penalty: float = penalty) -> tuple[float, Floats]:
            value, slopes = loss(logs)
            away = logs - guess
            return value / members + penalty * float(away @ away), slopes / members + 2 * penalty * away

        tries = [
            minimize(
                penalised,
                guess + shift,
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"ftol": 1e-10, "gtol": 1e-6},
            )
            for shift in STARTS
        ]
        best = min(tries, key=lambda found: (not found.success, float(found.fun)))
        ran_away = bool(np.any((best.x < LOG_FLOOR + 0.5) | (best.x > LOG_CEILING - 0.5)))
        if best.success and not ran_away:
            break
    likelihood = -loss(best.x)[0]
    fit = Fit(
        converged=bool(best.success), at_bounds=ran_away, penalty=penalty, log_likelihood=likelihood, members=members
    )
    return best.x, fit


def fit_value_model(summary: pa.Table) -> ValueModel | None:
    """Fit both models on SUMMARY rows; None where too few members came a second time or spent anything."""
    columns = [summary.column(name).to_numpy() for name in ("visit_days", "span_days", "age_days")]
    if int((columns[0] > 1).sum()) < REPEATERS_MIN:
        return None
    rows, weights = distinct_histories(columns)
    visits = fit_bg_nbd(rows[0] - 1, rows[1], rows[2], weights=weights)
    net = summary.column("net_minor").to_numpy()
    paid = np.flatnonzero(net > 0)
    if len(paid) < REPEATERS_MIN:
        return None
    if len(paid) > ROWS_MAX:
        paid = np.random.default_rng(SAMPLE_SEED).choice(paid, ROWS_MAX, replace=False)
    return ValueModel(visits=visits, values=fit_gamma_gamma(columns[0][paid], net[paid] / columns[0][paid]))


def distinct_histories(columns: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], Floats]:
    """Return the distinct histories with how often each occurs: of a sample where there are many members."""
    rows = np.stack(columns)
    if rows.shape[1] > ROWS_MAX:
        chosen = np.random.default_rng(SAMPLE_SEED).choice(rows.shape[1], ROWS_MAX, replace=False)
        rows = rows[:, chosen]
    distinct, counts = np.unique(rows, axis=1, return_counts=True)
    return distinct, counts.astype(np.float64)


def predict(summary: pa.Table, *, model: ValueModel, horizon_days: int = 365) -> pa.Table:
    """Return PREDICTION rows in the order of SUMMARY rows: alive, a visit in 30 days, spend within the horizon.

    Money that was all returned counts as a mean of 0, drawn towards the mean of all.
    """
    n, t_x, age = floats(*(summary.column(name).to_numpy() for name in ("visit_days", "span_days", "age_days")))
    x = n - 1
    mean = np.maximum(summary.column("net_minor").to_numpy(), 0) / n
    value = model.visits.expected_visits(horizon_days, x, t_x, age) * model.values.expected_value(n, mean)
    columns = (
        PPM * model.visits.alive(x, t_x, age),
        PPM * model.visits.visits_within(SOON_DAYS, x, t_x, age),
        value,
    )
    whole = [pa.array(np.rint(column).astype(np.int64)) for column in columns]
    return pa.table([summary.column("member_id"), *whole], schema=PREDICTION)


def discounted_sum(values: ArrayLike, *, rate: float) -> float:
    """Return the present value of one value a period, due at its end: the sum of v_i / (1 + rate)^i."""
    per_period = floats(values)[0]
    return float(per_period @ (1.0 + rate) ** -np.arange(1, len(per_period) + 1))


def discounted_values(
    summary: pa.Table, *, model: ValueModel, periods: int, period_days: int = 30, rate: float = 0.0
) -> Floats:
    """Return the discounted value of each SUMMARY row in minor units, over so many periods at a rate a period."""
    n, t_x, age = floats(*(summary.column(name).to_numpy() for name in ("visit_days", "span_days", "age_days")))
    mean = np.maximum(summary.column("net_minor").to_numpy(), 0) / n
    until = [model.visits.expected_visits(period_days * i, n - 1, t_x, age) for i in range(1, periods + 1)]
    visits = np.diff(np.stack(until), axis=0, prepend=0.0)
    factors = (1.0 + rate) ** -np.arange(1, periods + 1)
    found: Floats = (factors @ visits) * model.values.expected_value(n, mean)
    return found


def check_histories(x: Floats, t_x: Floats, age: Floats) -> None:
    """Refuse histories that cannot be: each first bad row of a kind with its number."""
    refuse_rows(
        ("clv_fraction", "Repeat visits must be whole numbers of 0 or more.", (x < 0) | (x != np.floor(x))),
        ("clv_order", "The last visit must not lie after the analysis date.", (t_x > age) | (t_x < 0)),
        ("clv_first", "Without a repeat visit the last visit is the first.", (x == 0) & (t_x > 0)),
        ("clv_unknown", "Every number must be known.", ~np.isfinite(x + t_x + age)),
    )


def check_values(n: Floats, mean: Floats) -> None:
    """Refuse values that Gamma-Gamma cannot take."""
    refuse_rows(
        ("clv_count", "A mean value needs at least one visit.", ~(n > 0)),
        ("clv_value", "The mean value of a visit must be above 0.", ~(mean > 0)),
    )


def refuse_rows(*kinds: tuple[str, str, NDArray[np.bool_]]) -> None:
    problems = [
        Problem(code=code, message=message, row=int(np.argmax(bad)) + 1) for code, message, bad in kinds if bad.any()
    ]
    if problems:
        raise ChangkeError(*problems)


def floats(*columns: ArrayLike) -> tuple[Floats, ...]:
    """Return columns as arrays of one shape."""
    arrays = (np.asarray(column, dtype=np.float64) for column in columns)
    return tuple(np.atleast_1d(array) for array in np.broadcast_arrays(*arrays))
