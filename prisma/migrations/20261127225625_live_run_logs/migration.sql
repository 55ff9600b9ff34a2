-- AlterTable
ALTER TABLE "job_runs" ADD COLUMN     "log_completed_at" TIMESTAMPTZ(3),
ADD COLUMN     "log_deleted_at" TIMESTAMPTZ(3),
ADD COLUMN     "log_is_full" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "log_next" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "job_run_logs" ADD COLUMN     "is_cut" BOOLEAN NOT NULL DEFAULT false;

-- Logs that exist continue after their last piece.
UPDATE "job_runs" AS run SET "log_next" = stored.last + 1
  FROM (SELECT run_id, max(sequence) AS last FROM "job_run_logs" GROUP BY run_id) AS stored
 WHERE stored.run_id = run.id;
