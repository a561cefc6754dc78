ALTER TABLE "customers" ADD COLUMN "nickname" text;
--> statement-breakpoint
CREATE INDEX "customers_nickname" ON "customers" USING btree ("nickname");
