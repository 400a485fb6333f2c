"""Products and stores in set form, from product tables, sale lines and members."""

from pathlib import Path

import duckdb

from changke.insight.cleaning.sales import Tables
from changke.insight.cleaning.workbench import cells, text, write_stage
from changke.rules.imports.lines import CODE_LONGEST, ImportSettings
from changke.rules.imports.words import PRODUCT_FIELDS, Field, Refusal

PATH = (
    "list_transform(list_filter([category_1, category_2, category_3], lambda c: c IS NOT NULL), lambda c: left(c, 120))"
)


def clean_products(duck: duckdb.DuckDBPyConnection, tables: Tables, *, settings: ImportSettings, folder: Path) -> None:
    """Write the staged products: the last row of each in the product tables, else what the newest sale line says."""
    default = f"CASE product WHEN {text(settings.product_code)} THEN {text(settings.product_name)} END"
    duck.execute(
        f"""
        CREATE TEMP TABLE product_rows AS
        SELECT *, CASE WHEN {Field.PRODUCT_CODE} IS NULL THEN {text(Refusal.PRODUCT_MISSING)}
                       WHEN length({Field.PRODUCT_CODE}) > {CODE_LONGEST} THEN {text(Refusal.TEXT_TOO_LONG)}
                       WHEN row_number() OVER (PARTITION BY {Field.PRODUCT_CODE} ORDER BY pos DESC) > 1
                       THEN {text(Refusal.PRODUCT_REPEATED)} END AS refusal
        FROM ({cells(tables, PRODUCT_FIELDS)});
        INSERT INTO refused SELECT pos, NULL, refusal FROM product_rows WHERE refusal IS NOT NULL
        """
    )
    write_stage(
        duck,
        "products",
        folder=folder,
        query=f"""
            SELECT product_code, left(product_name, 200) AS name, {PATH} AS category_path, left(brand, 120) AS brand
            FROM product_rows WHERE refusal IS NULL
            UNION ALL BY NAME
            SELECT product AS product_code, left(coalesce(product_name, {default}), 200) AS name,
                   {PATH} AS category_path, left(brand, 120) AS brand
            FROM (SELECT product, arg_max(product_name, pos) AS product_name, arg_max(category_1, pos) AS category_1,
                         arg_max(category_2, pos) AS category_2, arg_max(category_3, pos) AS category_3,
                         arg_max(brand, pos) AS brand
                  FROM kept GROUP BY product)
            WHERE product NOT IN (SELECT product_code FROM product_rows WHERE refusal IS NULL)
        """,
    )


def clean_stores(duck: duckdb.DuckDBPyConnection, *, settings: ImportSettings, folder: Path) -> None:
    """Write the staged stores: those of receipts, with their newest name, and the home stores of members."""
    write_stage(
        duck,
        "stores",
        folder=folder,
        query=f"""
            SELECT store AS store_code,
                   left(coalesce(arg_max(store_name, pos),
                                 CASE store WHEN {text(settings.store_code)} THEN {text(settings.store_name)} END), 120)
                       AS name
            FROM kept GROUP BY store
            UNION ALL BY NAME
            SELECT DISTINCT home_store_code AS store_code FROM newest
            WHERE home_store_code IS NOT NULL AND home_store_code NOT IN (SELECT store FROM kept)
        """,
    )
