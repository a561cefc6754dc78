import { pgTable, serial, text } from "drizzle-orm/pg-core";

export const customers = pgTable("customers", {
  id: serial().primaryKey(),
  email: text().notNull(),
  nickname: text(),
});
