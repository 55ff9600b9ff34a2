-- AlterEnum
ALTER TYPE "job_state" ADD VALUE 'CANCELLING';
