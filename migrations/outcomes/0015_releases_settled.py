"""What says which file came is never changed, and what became of it once: a settled release can only be replaced."""

from alembic import op

revision = "0015"
down_revision = "0014"

CHANGING = (
    *("sha256", "size_bytes", "etag", "status", "layout", "reason_code", "detail", "rows_read", "rows_accepted"),
    *("rows_ignored", "rows_rejected", "decimals", "values_hash", "same_values_as", "ingested_at"),
)
KEEP = """BEGIN
 IF OLD.status = 'ingesting' THEN
  IF OLD.sha256 IS NULL OR (NEW.sha256, NEW.size_bytes, NEW.etag)
   IS NOT DISTINCT FROM (OLD.sha256, OLD.size_bytes, OLD.etag) THEN RETURN NEW;
  END IF;
 ELSIF OLD.status = 'current' AND NEW.status = 'superseded'
  AND to_jsonb(NEW) - '{status,reason_code}'::text[] = to_jsonb(OLD) - '{status,reason_code}'::text[] THEN RETURN NEW;
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
