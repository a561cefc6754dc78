// Runs in Node's thread for loader hooks (Node 18.19 to 22.14); what it changes is in neon_hooks_postgres.cjs.
import { createRequire } from 'node:module'

const { changed } = createRequire(import.meta.url)('./neon_hooks_postgres.cjs')

export async function load(url, context, next) {
  return changed(url, await next(url, context))
}
