"""Grants and row-level security, as migrations write them."""

from collections.abc import Iterable

from alembic import op


def setting(name: str) -> str:
    """What the present transaction says about its caller."""
    return f"current_setting('ringfence.{name}', true)"


def asked(name: str) -> str:
    """The same, as a scalar subquery: the database asks once a statement, not once a row."""
    return f"(SELECT {setting(name)})"


KIND = setting("kind")
EVERYTHING = f"{KIND} IN ('service', 'dfe')"
IN_AREA = (
    f"(({setting('regions')} = '' AND {setting('la_codes')} = '')"
    f" OR region = ANY (string_to_array({setting('regions')}, '|'))"
    f" OR la_code = ANY (string_to_array({setting('la_codes')}, ',')))"
)


def party(responsible_uid: str) -> str:
    """Who may see a contract: its commissioner in its area, and, once offered, its supplier and responsible body."""
    return (
        f"CASE WHEN {EVERYTHING} THEN true"
        f" WHEN {KIND} = 'commissioner' THEN organisation = {setting('organisation')} AND {IN_AREA}"
        f" WHEN {KIND} = 'supplier' THEN status <> 'draft' AND supplier_uid = {setting('trust_uid')}"
        f" WHEN {KIND} = 'responsible_body' THEN status <> 'draft'"
        f" AND (school_urn::text = ANY (string_to_array({setting('urns')}, ','))"
        f" OR {responsible_uid} = nullif({setting('trust_uid')}, ''))"
        " ELSE false END"
    )


def grant(schema: str, *, changing: Iterable[str], append_only: Iterable[str], deleting: Iterable[str]) -> None:
    """Rights of a schema's role: append-only tables know no UPDATE and no DELETE."""
    role = f"ringfence_{schema}"
    for table in append_only:
        op.execute(f"GRANT SELECT, INSERT ON {schema}.{table} TO {role}")
    for table in changing:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {schema}.{table} TO {role}")
    for table in deleting:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.{table} TO {role}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}")


def definer(schema: str, signature: str, returns: str, body: str, language: str = "sql") -> None:
    """A function by which a service's role does one thing that it has no right to do otherwise."""
    op.execute(
        f"CREATE FUNCTION {schema}.{signature} RETURNS {returns} LANGUAGE {language} SECURITY DEFINER"
        f" SET search_path = pg_catalog, pg_temp AS $$ {body} $$"
    )
    name = f"{schema}.{signature}"
    op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO ringfence_{schema}")


def forget_answers(schema: str) -> None:
    """A function that takes away the answers to keyed requests that are no longer kept, whoever's they are."""
    old = f"DELETE FROM {schema}.idempotency_key WHERE created_at < now() - interval '48 hours' RETURNING 1"
    definer(schema, "forget_expired()", "bigint", f"WITH gone AS ({old}) SELECT count(*) FROM gone")


def own_answers(schema: str) -> None:
    """Answers to repeated requests show to their caller alone; those from before, to whoever has the key."""
    mine = f"coalesce({setting('client_id')}, '')"
    op.execute(f"ALTER TABLE {schema}.idempotency_key ADD client_id varchar NOT NULL DEFAULT ''")
    op.execute(f"ALTER TABLE {schema}.idempotency_key ALTER client_id SET DEFAULT {mine}")
    bound(f"{schema}.idempotency_key", f"client_id IN ('', {mine})", writing=f"client_id = {mine}")


def everybodys_answers(schema: str) -> None:
    """Take back `own_answers`."""
    op.execute(f"DROP POLICY caller ON {schema}.idempotency_key")
    op.execute(f"ALTER TABLE {schema}.idempotency_key DISABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {schema}.idempotency_key DROP client_id")


def bound(table: str, condition: str, *, writing: str | None = None) -> None:
    """Limit the rows of a table to those for which the condition holds, for reading and for writing."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY caller ON {table} USING ({condition}) WITH CHECK ({writing or condition})")
