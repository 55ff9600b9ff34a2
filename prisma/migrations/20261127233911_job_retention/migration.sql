-- AlterTable
ALTER TABLE "job_sets" ADD COLUMN     "expired_sequence" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "look_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- What sweeps look for, the oldest first.
CREATE INDEX "jobs_ended_at_idx" ON "jobs"("ended_at", "id") WHERE "ended_at" IS NOT NULL AND NOT "is_owned";
CREATE INDEX "job_runs_log_ended_at_idx" ON "job_runs"("ended_at") WHERE "log_next" > 0;
CREATE INDEX "job_sets_look_at_idx" ON "job_sets"("look_at") WHERE "owner_id" IS NULL;
