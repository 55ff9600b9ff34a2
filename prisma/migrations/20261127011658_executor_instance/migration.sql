-- AlterTable
ALTER TABLE "executors" ADD COLUMN     "instance_id" UUID;
