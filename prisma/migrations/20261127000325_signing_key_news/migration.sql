-- AlterEnum
ALTER TYPE "access_change_kind" ADD VALUE 'SIGNING_KEY';
