-- AlterEnum
ALTER TYPE "execution_event_kind" ADD VALUE 'NODE_ABORT';

-- AlterTable
ALTER TABLE "execution_events" ADD COLUMN     "principal_id" UUID;
