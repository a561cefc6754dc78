/**
 * postgres.js: the function that the package exports is wrapped, so that it only knows the target.
 *
 * Its ES module cannot be patched after it was loaded. A loader hook changes its last words on the way in:
 * https://nodejs.org/api/module.html#customization-hooks
 */
'use strict'

const Module = require('module')
const { pathToFileURL } = require('url')

const HERE = Symbol.for('neon-hooks postgres')
const WRAPPED = 'globalThis[Symbol.for("neon-hooks postgres")](Postgres)'
const IDENTITY = new Set(
  'host hostname port path database db user username pass password ssl sslmode socket target_session_attrs'.split(' ')
)

exports.patch = function (shim, module) {
  module.exports = wrapped(shim, module.exports)
}

exports.hookImport = function (shim) {
  if (globalThis[HERE]) return
  globalThis[HERE] = (postgres) => shim.guarded('postgres', () => wrapped(shim, postgres)) || postgres
  if (Module.registerHooks) {
    Module.registerHooks({ load: (url, context, next) => changed(url, next(url, context)) })
  } else if (Module.register) {
    Module.register(pathToFileURL(require.resolve('./neon_hooks_loader.mjs')).href)
  } else {
    throw new Error('this Node cannot hook into ES modules')
  }
}

/** The source of postgres.js' ES module, exporting our wrapper; anything else as it is. */
function changed(url, loaded) {
  if (!/\/postgres\/src\/index\.js$/.test(url) || !loaded.source) return loaded
  const source = Buffer.from(loaded.source).toString('utf8')
  // Applied once: the thread for loader hooks has this hook as well.
  return { ...loaded, source: source.replace(/^export default Postgres\b/m, 'export default ' + WRAPPED) }
}
exports.changed = changed

function wrapped(shim, postgres) {
  watchErrors(shim, postgres.PostgresError)
  const redirected = function (a, b) {
    const options = typeof a === 'string' ? b || {} : a || {}
    shim.connected('postgres', typeof a === 'string' ? a.replace(/\/\/[^@/]*@/, '//') : `host=${options.host}`)
    return postgres.call(this, forTarget(shim, options, typeof a === 'string' ? a : ''))
  }
  return Object.assign(redirected, postgres)
}

/** The target's options, and what may be kept of the program's: schema, transforms, limits. */
function forTarget(shim, written, url) {
  const { target } = shim
  const kept = Object.fromEntries(Object.entries(written).filter(([key]) => !IDENTITY.has(key)))
  const options = shim.options(written.connection && written.connection.options)
  return {
    ...kept,
    host: target.host, port: target.port, database: target.database,
    username: target.user, password: target.password, ssl: target.ssl,
    connection: { ...searchPath(url), ...written.connection, ...(options ? { options } : {}) },
    debug: noting(shim, written.debug),
  }
}

function searchPath(url) {
  const found = /[?&]search_path=([^&]*)/.exec(url)
  return found ? { search_path: decodeURIComponent(found[1]) } : {}
}

const running = new Map() // connection -> the statement that was sent last
const errors = [] // that do not know their statement yet: they learn it when Postgres is ready again

/** postgres.js tells of each statement when it is sent; it is over when the connection sends the next. */
function noting(shim, debug) {
  return function (connection, sql, params) {
    finish(connection)
    const last = running.get(connection)
    const number = (last ? last.number : 0) + (!last || /^\s*begin/i.test(sql) ? 1 : 0)
    running.set(connection, { number, sql, end: shim.journal.statement(sql, params, connection, number) })
    if (typeof debug === 'function') debug.apply(this, arguments)
  }
}

function finish(connection) {
  settle()
  const last = running.get(connection)
  if (last) last.end()
}

process.once('exit', () => running.forEach((_, connection) => finish(connection)))

/** Every error of Postgres is noted, also one that nobody catches: as soon as it gets its last field. */
function watchErrors(shim, PostgresError) {
  if (!PostgresError || PostgresError[HERE]) return
  PostgresError[HERE] = true
  Object.defineProperty(PostgresError.prototype, 'routine', {
    configurable: true,
    set(value) {
      Object.defineProperty(this, 'routine', { value, configurable: true, enumerable: true, writable: true })
      errors.push([shim, this])
      setImmediate(settle)
    },
  })
}

function settle() {
  for (const [shim, error] of errors.splice(0)) {
    const open = [...running.values()].reverse()
    const found = open.find((each) => each.sql === error.query) || (error.query ? undefined : open[0])
    if (!found || !found.end(undefined, error)) {
      shim.journal.statement(error.query || '?', error.parameters, 0, 0)(undefined, error)
    }
  }
}
