"""The features of features.bench.ts with pandas or polars, from the same Parquet file of the same accepted rows. Reads a
description as JSON from standard input, writes the columns, one after the other, as float64 in the order of the
customers, and prints figures as JSON."""

import json
import resource
import sys
import time
from datetime import datetime, timedelta

import numpy as np

about = json.load(sys.stdin)
AS_OF = datetime.fromisoformat(about["asOf"])
COLUMNS = about["columns"]
READ = [
    "customer_id", "order_id", "ordered_at", "loaded_at", "quantity", "unit_price", "amount", "category", "channel",
    "malformed", "is_duplicate",
]


def scaled(customers, columns):
    """log1p and standard scaling of the clustered ones, as Strata does for the matrix it clusters."""
    for name in about["clustered"]:
        values = np.log1p(columns[name])
        (values - values.mean()) / values.std()
    return customers, columns


def with_pandas():
    import pandas as pd
    import pyarrow.parquet as pq

    table = pq.read_table(about["path"], columns=READ)
    # Groups by codes are what makes pandas fast. Sums of decimals are sums of Python objects in pandas; those of doubles are what one would take.
    for name in ("unit_price", "amount"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table.column(name).cast("float64"))
    for name in ("customer_id", "order_id", "category", "channel"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table.column(name).combine_chunks().dictionary_encode())
    lines = table.to_pandas(self_destruct=True, split_blocks=True)
    del table
    credit = lines["order_id"].cat.categories.astype(str).str.startswith("C")
    accepted = (
        lines["customer_id"].notna()
        & ~lines["is_duplicate"]
        & ~pd.Series(credit[lines["order_id"].cat.codes], index=lines.index)
        & lines["malformed"].isna()
        & (lines["ordered_at"] <= lines["loaded_at"])
        & (lines["quantity"] > 0)
        & (lines["unit_price"] > 0)
    )
    lines = lines.loc[accepted, ["customer_id", "order_id", "ordered_at", "quantity", "amount", "category", "channel"]]
    at = lines["ordered_at"]
    ago = lambda days: np.datetime64(AS_OF - timedelta(days=days))
    recent = at >= ago(90)
    before = (at >= ago(180)) & ~recent
    lines = lines.assign(
        day=at.dt.normalize(),
        month=(at.dt.year * 12 + at.dt.month).astype("int16"),
        category=lines["category"].cat.codes,
        order_id=lines["order_id"].cat.codes,
        recent_order=lines["order_id"].cat.codes.where(recent),
        recent=lines["amount"].where(recent, 0.0),
        before=lines["amount"].where(before, 0.0),
        weekend=at.dt.dayofweek >= 5,
        evening=at.dt.hour >= 18,
        holiday=at.dt.month >= 11,
        marketplace=lines["channel"] == "marketplace",
    )
    groups = lines.groupby("customer_id", observed=True, sort=False)
    figures = groups.agg(
        last=("day", "max"),
        first=("day", "min"),
        spend=("amount", "sum"),
        items=("quantity", "sum"),
        lines=("amount", "size"),
        orders=("order_id", "nunique"),
        categories=("category", "nunique"),
        months=("month", "nunique"),
        recent_orders=("recent_order", "nunique"),
        recent=("recent", "sum"),
        before=("before", "sum"),
        weekend=("weekend", "mean"),
        evening=("evening", "mean"),
        holiday=("holiday", "mean"),
        marketplace=("marketplace", "mean"),
    )
    orders = lines.groupby(["customer_id", "order_id"], observed=True, sort=False)["ordered_at"].min().reset_index()
    orders = orders.sort_values(["customer_id", "ordered_at", "order_id"])
    day = orders["ordered_at"].dt.normalize()
    gap = (day - day.shift()).dt.days.where(orders["customer_id"] == orders["customer_id"].shift())
    orders = orders.assign(gap=gap, square=gap * gap)
    gaps = orders.groupby("customer_id", observed=True, sort=False).agg(
        gaps=("gap", "count"), total=("gap", "sum"), square=("square", "sum")
    )
    figures = figures.join(gaps)
    figures.index = figures.index.astype(str)
    figures = figures.sort_index()
    as_of = pd.Timestamp(AS_OF)
    columns = {name: figures[name].to_numpy(dtype=np.float64) for name in figures.columns if name not in ("last", "first")}
    columns["recency"] = (as_of - figures["last"]).dt.days.to_numpy(dtype=np.float64)
    columns["tenure"] = (as_of - figures["first"]).dt.days.to_numpy(dtype=np.float64)
    return scaled(len(figures), finished(columns))


def with_polars():
    import polars as pl

    lines = (
        pl.scan_parquet(about["path"])
        .filter(
            pl.col("customer_id").is_not_null()
            & ~pl.col("is_duplicate")
            & ~pl.col("order_id").str.starts_with("C")
            & pl.col("malformed").is_null()
            & (pl.col("ordered_at") <= pl.col("loaded_at"))
            & (pl.col("quantity") > 0)
            & (pl.col("unit_price") > 0)
        )
        .select("customer_id", "order_id", "ordered_at", "quantity", "amount", "category", "channel")
    )
    at = pl.col("ordered_at")
    ago = lambda days: pl.lit(AS_OF - timedelta(days=days))
    recent = at >= ago(90)
    before = (at >= ago(180)) & (at < ago(90))
    figures = lines.group_by("customer_id").agg(
        last=at.max(),
        first=at.min(),
        spend=pl.col("amount").sum().cast(pl.Float64),
        items=pl.col("quantity").sum(),
        lines=pl.len(),
        orders=pl.col("order_id").n_unique(),
        categories=pl.col("category").n_unique(),
        months=at.dt.truncate("1mo").n_unique(),
        recent_orders=pl.col("order_id").filter(recent).n_unique(),
        recent=pl.col("amount").filter(recent).sum().cast(pl.Float64),
        before=pl.col("amount").filter(before).sum().cast(pl.Float64),
        weekend=(at.dt.weekday() >= 6).mean(),
        evening=(at.dt.hour() >= 18).mean(),
        holiday=(at.dt.month() >= 11).mean(),
        marketplace=(pl.col("channel") == "marketplace").mean(),
    )
    orders = (
        lines.group_by("customer_id", "order_id")
        .agg(at.min())
        .sort("customer_id", "ordered_at", "order_id")
        .with_columns(
            gap=pl.when(pl.col("customer_id") == pl.col("customer_id").shift()).then(
                (at.dt.date() - at.dt.date().shift()).dt.total_days()
            )
        )
    )
    gap = pl.col("gap")
    gaps = orders.group_by("customer_id").agg(gaps=gap.count(), total=gap.sum(), square=(gap * gap).sum())
    found = (
        figures.join(gaps, on="customer_id")
        .with_columns(
            recency=(pl.lit(AS_OF).dt.date() - pl.col("last").dt.date()).dt.total_days(),
            tenure=(pl.lit(AS_OF).dt.date() - pl.col("first").dt.date()).dt.total_days(),
        )
        .sort("customer_id")
        .collect(engine="streaming")
    )
    names = [name for name in found.columns if name not in ("customer_id", "last", "first")]
    columns = {name: found[name].cast(pl.Float64).to_numpy() for name in names}
    return scaled(len(found), finished(columns))


def finished(found):
    """What both end with: the derived figures, under Strata's names."""
    cents = lambda name: np.round(np.round(found[name], 2) * 100)
    spend, recent, before = cents("spend"), cents("recent"), cents("before")
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            "recencyDays": found["recency"],
            "orders": found["orders"],
            "spendCents": spend,
            "tenureDays": found["tenure"],
            "items": found["items"],
            "lines": found["lines"],
            "categories": found["categories"],
            "activeMonths": found["months"],
            "gapMeanDays": found["total"] / found["gaps"],
            "gapRegularity": found["total"]
            / (found["total"] + np.sqrt(found["gaps"] * found["square"] - found["total"] * found["total"])),
            "ordersLast90Days": found["recent_orders"],
            "spendLast90DaysCents": recent,
            "spendBefore90DaysCents": before,
            "weekendShare": found["weekend"],
            "eveningShare": found["evening"],
            "holidayShare": found["holiday"],
            "marketplaceShare": found["marketplace"],
            "averageOrderCents": spend / found["orders"],
            "itemsPerOrder": found["items"] / found["orders"],
            "trend": (recent - before) / (np.abs(recent) + np.abs(before)),
        }
    columns["gapMeanDays"][found["gaps"] == 0] = about["longestGap"]
    columns["gapRegularity"][found["gaps"] < 2] = 0
    return {name: np.where(np.isfinite(values), values, 0) for name, values in columns.items()}


library = sys.modules.get(about["library"]) or __import__(about["library"])
work = {"pandas": with_pandas, "polars": with_polars}[about["library"]]
seconds, cpu_seconds = [], []
for _ in range(about["repeat"]):
    started, used = time.perf_counter(), time.process_time()
    customers, columns = work()
    seconds.append(time.perf_counter() - started)
    cpu_seconds.append(time.process_time() - used)
with open(about["out"], "wb") as file:
    for name in COLUMNS:
        file.write(np.ascontiguousarray(columns[name], dtype=np.float64).tobytes())
KILOBYTE = 1024
json.dump(
    {
        "version": library.__version__,
        "seconds": seconds,
        "cpuSeconds": cpu_seconds,
        "customers": customers,
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTE,
    },
    sys.stdout,
)
