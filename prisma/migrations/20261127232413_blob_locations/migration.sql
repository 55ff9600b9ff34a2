-- AlterTable
ALTER TABLE "blobs" ADD COLUMN     "location" TEXT;
