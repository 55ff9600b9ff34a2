-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "output_uri" TEXT;
