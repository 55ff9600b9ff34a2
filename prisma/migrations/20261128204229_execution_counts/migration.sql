-- CreateTable
CREATE TABLE "execution_counts" (
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "workflow_entity_id" UUID NOT NULL,
    "domain" TEXT NOT NULL,
    "phase" "execution_phase" NOT NULL,
    "state" "execution_state" NOT NULL,
    "count" BIGINT NOT NULL,

    CONSTRAINT "execution_counts_pkey" PRIMARY KEY ("tenant_id","project_id","workflow_entity_id","domain","phase","state")
);

-- CreateTable
CREATE TABLE "execution_count_changes" (
    "id" BIGSERIAL NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "workflow_entity_id" UUID NOT NULL,
    "domain" TEXT NOT NULL,
    "phase" "execution_phase" NOT NULL,
    "state" "execution_state" NOT NULL,
    "change" INTEGER NOT NULL,

    CONSTRAINT "execution_count_changes_pkey" PRIMARY KEY ("id")
);

-- Nobody changes executions until the triggers exist, so that the numbers are right from the beginning.
LOCK TABLE "executions" IN SHARE ROW EXCLUSIVE MODE;

INSERT INTO "execution_counts" ("tenant_id", "project_id", "workflow_entity_id", "domain", "phase", "state", "count")
SELECT tenant_id, project_id, workflow_entity_id, domain, phase, state, count(*) FROM "executions" GROUP BY 1, 2, 3, 4, 5, 6;

-- Writes a row for what an execution was, and one for what it is now.
CREATE FUNCTION count_execution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO execution_count_changes (tenant_id, project_id, workflow_entity_id, domain, phase, state, change)
    VALUES (old.tenant_id, old.project_id, old.workflow_entity_id, old.domain, old.phase, old.state, -1);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO execution_count_changes (tenant_id, project_id, workflow_entity_id, domain, phase, state, change)
    VALUES (new.tenant_id, new.project_id, new.workflow_entity_id, new.domain, new.phase, new.state, 1);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER executions_counted AFTER INSERT OR DELETE ON "executions"
  FOR EACH ROW EXECUTE FUNCTION count_execution();
-- Most updates only take a number for an event.
CREATE TRIGGER executions_recounted
  AFTER UPDATE OF "tenant_id", "project_id", "workflow_entity_id", "domain", "phase", "state" ON "executions"
  FOR EACH ROW
  WHEN ((old.tenant_id, old.project_id, old.workflow_entity_id, old.domain, old.phase, old.state)
        IS DISTINCT FROM (new.tenant_id, new.project_id, new.workflow_entity_id, new.domain, new.phase, new.state))
  EXECUTE FUNCTION count_execution();
