-- AlterTable
ALTER TABLE "job_runs" ADD COLUMN     "usage" JSONB,
ADD COLUMN     "usage_at" TIMESTAMPTZ(3);
