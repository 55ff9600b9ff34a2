-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "cancelled_at" TIMESTAMPTZ(3);

-- Of earlier jobs, only the time of the end is known.
UPDATE "jobs" SET "cancelled_at" = coalesce("ended_at", "updated_at") WHERE "cancelled_by_id" IS NOT NULL;
