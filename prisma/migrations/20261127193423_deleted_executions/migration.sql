-- CreateTable
CREATE TABLE "execution_remains" (
    "execution_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "deleted_by_id" UUID NOT NULL,
    "deleted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sweep_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "execution_remains_pkey" PRIMARY KEY ("execution_id")
);

-- CreateIndex
CREATE INDEX "execution_remains_sweep_at_idx" ON "execution_remains"("sweep_at");

-- A run outlives the execution that did its work. A version of a model does not let its execution go.
ALTER TABLE "experiment_runs" DROP CONSTRAINT "experiment_runs_execution";
ALTER TABLE "experiment_runs" ADD CONSTRAINT "experiment_runs_execution" FOREIGN KEY ("execution_id") REFERENCES "executions" ("id") ON DELETE SET NULL;
