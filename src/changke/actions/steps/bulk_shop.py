"""Stores, staff, brands, categories and products of a staged import: made where missing, filled where empty."""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from changke.actions.steps.bulk_copy import ask, copy_in, copy_out, make_table, run
from changke.actions.steps.bulk_ids import with_public_ids
from changke.rules.imports.plan import Fill
from changke.rules.staff import Role
from changke.rules.stores import Ownership

CODES = pa.schema([("code", pa.string()), ("id", pa.int64())])


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopCounts:
    stores_new: int
    staff_new: int
    products_new: int
    products_changed: int


def plan_shop(duck: duckdb.DuckDBPyConnection, *, fill: Fill) -> ShopCounts:
    """Lay the staged shop into temporary tables of PostgreSQL and count what is new or differs; writes nothing else."""
    duck.execute(
        """
        CREATE TEMP TABLE staff_codes AS
        SELECT DISTINCT staff_code AS code FROM staged_sales WHERE staff_code IS NOT NULL
        UNION SELECT recruiter_code FROM staged_members WHERE recruiter_code IS NOT NULL
        """
    )
    for table, columns, query in (
        ("bulk_stores", "code text, name text", "SELECT store_code, any_value(name) FROM staged_stores GROUP BY 1"),
        ("bulk_staff", "code text", "FROM staff_codes"),
        (
            "bulk_products",
            "code text, name text, path text, brand text",
            # chr(31) joins the names of a path, as in categories.path.
            """SELECT product_code, name, nullif(array_to_string(category_path, chr(31)), ''), brand
               FROM staged_products""",
        ),
    ):
        make_table(table, f"{columns}, public_id text")
        names = [column.split()[0] for column in columns.split(", ")]
        copy_in(duck, query, table=table, columns=[*names, "public_id"], complete=with_public_ids)
    [(stores, staff, products)] = ask(
        """SELECT (SELECT count(*) FROM bulk_stores b WHERE NOT EXISTS (SELECT FROM stores s WHERE s.code = b.code)),
                  (SELECT count(*) FROM bulk_staff b WHERE NOT EXISTS (SELECT FROM staff s WHERE s.code = b.code)),
                  (SELECT count(*) FROM bulk_products b WHERE NOT EXISTS (SELECT FROM products p WHERE p.code = b.code))
        """
    )
    [(changed,)] = ask(f"SELECT count(*) FROM ({_changed_products(fill)}) AS changed")
    return ShopCounts(stores_new=stores, staff_new=staff, products_new=products, products_changed=changed)


def write_shop(duck: duckdb.DuckDBPyConnection, *, time_zone: str, day_ends_at: str, fill: Fill) -> None:
    """Write what plan_shop laid out, and make the views store_ids, staff_ids, product_ids (code, id) in DuckDB."""
    run(
        """INSERT INTO stores (public_id, code, name, name_en, ownership, time_zone, day_ends_at, hours, address, phone)
           SELECT public_id, code, coalesce(name, code), '', %s, %s, %s, '{}', '', '' FROM bulk_stores
           ORDER BY code ON CONFLICT (code) DO NOTHING""",
        [Ownership.OWN, time_zone, day_ends_at],
    )
    run(
        """INSERT INTO staff (public_id, code, name, role, phone)
           SELECT public_id, code, code, %s, '' FROM bulk_staff ORDER BY code ON CONFLICT (code) DO NOTHING""",
        [Role.CASHIER],
    )
    run(
        """INSERT INTO brands (name, name_en) SELECT DISTINCT brand, '' FROM bulk_products WHERE brand IS NOT NULL
           ORDER BY brand ON CONFLICT (name) DO NOTHING"""
    )
    _write_categories()
    run(
        f"""UPDATE products SET name = new.name, category_id = (SELECT id FROM categories WHERE path = new.path),
                   brand_id = (SELECT id FROM brands WHERE brands.name = new.brand)
            FROM ({_changed_products(fill)}) AS new WHERE products.id = new.id"""
    )
    run(
        """INSERT INTO products (public_id, code, name, name_en, category_id, brand_id, is_active, attributes)
           SELECT b.public_id, b.code, coalesce(b.name, b.code), '', c.id, brands.id, true, '{}'
           FROM bulk_products b LEFT JOIN categories c ON c.path = b.path LEFT JOIN brands ON brands.name = b.brand
           ORDER BY b.code ON CONFLICT (code) DO NOTHING"""
    )
    for name, table in (("store_ids", "stores"), ("staff_ids", "staff"), ("product_ids", "products")):
        staged = f"bulk_{table}"
        copy_out(duck, f"SELECT t.code, t.id FROM {table} t JOIN {staged} USING (code)", table=name, schema=CODES)


def _write_categories() -> None:
    """Make the missing nodes of the category paths, level by level: a node needs the id of its parent."""
    [(depth,)] = ask("SELECT coalesce(max(cardinality(string_to_array(path, chr(31)))), 0) FROM bulk_products")
    for level in range(1, depth + 1):
        run(
            """INSERT INTO categories (name, name_en, path, depth, parent_id, root_id)
               SELECT n.names[%(level)s], '', n.path, %(level)s - 1, parent.id, coalesce(parent.root_id, parent.id)
               FROM (SELECT DISTINCT names[1:%(level)s] AS names, array_to_string(names[1:%(level)s], chr(31)) AS path
                     FROM (SELECT string_to_array(path, chr(31)) AS names FROM bulk_products) AS p
                     WHERE cardinality(names) >= %(level)s) AS n
               LEFT JOIN categories parent ON parent.path = array_to_string(n.names[1:%(level)s - 1], chr(31))
               ORDER BY n.path ON CONFLICT (path) DO NOTHING""".replace("%(level)s", str(level))
        )


def _changed_products(fill: Fill) -> str:
    """Return SQL for the known products that the import changes: filled where empty, or overwritten.

    A product without a name carries its code as name.
    """
    name, path, brand = (
        ("coalesce(b.name, p.name)", "coalesce(b.path, c.path)", "coalesce(b.brand, brands.name)")
        if fill is Fill.OVERWRITE
        else (
            "CASE WHEN p.name = p.code THEN coalesce(b.name, p.name) ELSE p.name END",
            "coalesce(c.path, b.path)",
            "coalesce(brands.name, b.brand)",
        )
    )
    return f"""
        SELECT p.id, {name} AS name, {path} AS path, {brand} AS brand
        FROM products p JOIN bulk_products b USING (code)
        LEFT JOIN categories c ON c.id = p.category_id LEFT JOIN brands ON brands.id = p.brand_id
        WHERE ({name}, {path}, {brand}) IS DISTINCT FROM (p.name, c.path, brands.name)
    """
