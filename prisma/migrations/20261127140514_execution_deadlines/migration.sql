-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "deadline_at" TIMESTAMPTZ(3),
ADD COLUMN     "queue_deadline_at" TIMESTAMPTZ(3);
