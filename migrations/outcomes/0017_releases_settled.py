"""What says which file came is never changed, what became of it once: a settled release is replaced or confirmed."""

from alembic import op

revision = "0017"
down_revision = "0016"

CHANGING = (
    *("sha256", "size_bytes", "etag", "status", "layout", "reason_code", "detail", "rows_read", "rows_accepted"),
    *("rows_ignored", "rows_rejected", "decimals", "values_hash", "same_values_as", "ingested_at", "confirmed_on"),
)
LATER = "'{status,reason_code,confirmed_on}'::text[]"
KEEP = f"""BEGIN
 IF OLD.status = 'ingesting' THEN
  IF OLD.sha256 IS NULL OR (NEW.sha256, NEW.size_bytes, NEW.etag)
   IS NOT DISTINCT FROM (OLD.sha256, OLD.size_bytes, OLD.etag) THEN RETURN NEW;
  END IF;
 ELSIF to_jsonb(NEW) - {LATER} = to_jsonb(OLD) - {LATER} AND NEW.confirmed_on >= OLD.confirmed_on
  AND ((NEW.status, NEW.reason_code) IS NOT DISTINCT FROM (OLD.status, OLD.reason_code)
   OR (OLD.status = 'current' AND NEW.status = 'superseded')) THEN RETURN NEW;
 END IF;
 RAISE EXCEPTION 'outcomes.release is kept as it came and as it was settled' USING ERRCODE = 'restrict_violation';
END"""


def upgrade() -> None:
    """Apply."""
    op.execute("REVOKE UPDATE ON outcomes.release FROM ringfence_outcomes")
    op.execute(f"GRANT UPDATE ({', '.join(CHANGING)}) ON outcomes.release TO ringfence_outcomes")
    op.execute(f"CREATE FUNCTION outcomes.keep_release() RETURNS trigger LANGUAGE plpgsql AS $$ {KEEP} $$")
    op.execute(
        "CREATE TRIGGER keep BEFORE UPDATE ON outcomes.release FOR EACH ROW EXECUTE FUNCTION outcomes.keep_release()"
    )


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TRIGGER keep ON outcomes.release")
    op.execute("DROP FUNCTION outcomes.keep_release")
    op.execute(f"REVOKE UPDATE ({', '.join(CHANGING)}) ON outcomes.release FROM ringfence_outcomes")
    op.execute("GRANT UPDATE ON outcomes.release TO ringfence_outcomes")
