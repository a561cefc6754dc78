/**
 * The driver shim for Node: where connections must go, the journal, and the hook that patches drivers.
 *
 * Loaded into every Node of the run by NODE_OPTIONS=--require. No dependencies, Node 12 and later. It must
 * never break the program; the one exception is a connection that would lead elsewhere.
 *
 * Environment: NEON_HOOKS_TARGET (a connection URL), NEON_HOOKS_JOURNAL (a file to append to),
 * NEON_HOOKS_CHECKOUT (the pushed tree).
 */
'use strict'

const fs = require('fs')
const Module = require('module')
const path = require('path')

const SEEN = Symbol.for('neon-hooks')
const MAX_SQL = 20000
const MAX_PARAMS = 200
const MAX_STATEMENTS = 20000
const MAX_FRAMES = 8
const ROUTINE = /^\s*(?:select|insert|update|delete|fetch|copy)/i
const BOOKKEEPING = /migration|version|knex|drizzle|sequelize/i
const FRAME = /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()]*?)(?:\?[^():]*)?:(\d+):\d+\)?$/

/** The target's parts. Certificates are checked as node-postgres does for sslmode=require: fully. */
function parseTarget(uri) {
  const url = new URL(uri)
  const mode = url.searchParams.get('sslmode')
  const root = url.searchParams.get('sslrootcert')
  const host = decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '')
  let ssl = false
  if (mode && mode !== 'disable' && mode !== 'allow' && mode !== 'prefer') {
    ssl = root && root !== 'system' ? { ca: fs.readFileSync(root, 'utf8') } : {}
    ssl.rejectUnauthorized = true
  }
  return {
    uri, host, ssl,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    options: url.searchParams.get('options') || '',
    sslNegotiation: url.searchParams.get('sslnegotiation') || 'postgres',
  }
}

class Journal {
  constructor(file, checkout) {
    this.file = file
    this.number = 0
    this.checkout = checkout ? fs.realpathSync(checkout) + path.sep : ''
  }

  /** One line in one write, so that a killed process loses nothing. */
  write(kind, fields) {
    try {
      fs.appendFileSync(this.file, JSON.stringify({ kind, pid: process.pid, ...fields }) + '\n', { mode: 0o600 })
    } catch {} // a full disk is not the program's fault
  }

  /** Note a statement that starts; what is returned is called with (rows, error) when it is over, once. */
  statement(sql, params, connection, transaction) {
    try {
      const number = ++this.number
      const text = String(sql).slice(0, MAX_SQL)
      const quiet = number > MAX_STATEMENTS && ROUTINE.test(text) && !BOOKKEEPING.test(text.slice(0, 300))
      const fields = { number, at: Date.now() / 1000, sql: text, params: shortened(params), connection, transaction }
      if (!quiet) {
        fields.frames = this.frames()
        this.write('begin', { number, sql: text })
      }
      const started = process.hrtime.bigint()
      let open = true
      return (rows, error) => {
        if (!open) return false
        open = false
        fields.ms = Math.round(Number(process.hrtime.bigint() - started) / 1e3) / 1e3
        if (typeof rows === 'number') fields.rows = rows
        if (error) fields.error = diagnosis(error)
        if (!quiet || error) this.write('statement', fields)
        return true
      }
    } catch {
      return () => true
    }
  }

  /** The lines of the project that led here, innermost first: one of them may be the migration's. */
  frames() {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 60
    const stack = String(new Error().stack)
    Error.stackTraceLimit = limit
    const found = []
    for (const line of stack.split('\n')) {
      const match = FRAME.exec(line)
      const file = match && this.inside(match[1])
      if (file && found.length < MAX_FRAMES) found.push([file, Number(match[2])])
    }
    return found
  }

  /** A file relative to the checkout, "" for one that is not the project's own. */
  inside(name) {
    const file = name.startsWith('file://') ? require('url').fileURLToPath(name) : name
    const ours = this.checkout && file.startsWith(this.checkout) && !file.includes('node_modules')
    return ours ? file.slice(this.checkout.length).split(path.sep).join('/') : ''
  }
}

function shortened(params) {
  try {
    const text = params && params.length ? JSON.stringify(params) : ''
    return text.length <= MAX_PARAMS ? text : text.slice(0, MAX_PARAMS) + '...'
  } catch {
    return '?'
  }
}

/** Postgres' words in an error of any driver that names the protocol's fields. */
function diagnosis(error) {
  if (!error || !/^[0-9A-Z]{5}$/.test(error.code || '')) return { message: String((error && error.message) || error) }
  const { code, message, detail, hint, where, position } = error
  return { sqlstate: code, message, detail, hint, context: where, position }
}

class Shim {
  constructor(environ) {
    this.target = parseTarget(environ.NEON_HOOKS_TARGET)
    this.journal = new Journal(environ.NEON_HOOKS_JOURNAL || '/dev/null', environ.NEON_HOOKS_CHECKOUT)
    this.connections = 0
  }

  /** Note what the program wanted, and where the connection goes. */
  connected(driver, asked, ours = true, to = '') {
    const { host, port, database } = this.target
    this.journal.write('connect', { driver, asked, to: ours ? `${host}/${port}/${database}` : to, ours })
  }

  /** Words in the options that choose a compute on Neon are dropped (docs, connection errors). */
  options(written) {
    const kept = String(written || '').split(/\s+/).filter((word) => !/^(?:-c\s*)?(?:endpoint|project)=/.test(word))
    return [...kept, this.target.options].filter(Boolean).join(' ')
  }

  /** Run one of our patches. What goes wrong there is noted, and harms nobody. */
  guarded(what, work) {
    try {
      return work()
    } catch (error) {
      this.journal.write('broken', { what: `${what}: ${error}` })
    }
  }
}

/** What is patched once its file was loaded: require() and import of CommonJS both come through here. */
const PATCHES = [
  [/[\\/]pg[\\/]lib[\\/](?:native[\\/])?client\.js$/, './neon_hooks_pg.cjs'],
  [/[\\/]postgres[\\/]cjs[\\/]src[\\/]index\.js$/, './neon_hooks_postgres.cjs'],
]

function hookRequire(shim) {
  const load = Module._extensions['.js']
  Module._extensions['.js'] = function (module, filename) {
    const result = load.apply(this, arguments)
    for (const [pattern, patch] of PATCHES) {
      if (pattern.test(filename)) shim.guarded(filename, () => require(patch).patch(shim, module))
    }
    return result
  }
}

/** Loaders of TypeScript may take files past the hook: then the patched module must be there already. */
function loadEarly(name) {
  const places = [process.cwd(), ...(process.argv[1] ? [path.dirname(path.resolve(process.argv[1]))] : [])]
  try {
    require(require.resolve(name, { paths: places }))
    return true
  } catch {
    return false
  }
}

function install() {
  const shim = new Shim(process.env)
  shim.journal.write('loaded', { node: process.versions.node })
  hookRequire(shim)
  shim.guarded('sockets', () => require('./neon_hooks_sockets.cjs').patch(shim))
  loadEarly('pg')
  if (loadEarly('postgres')) shim.guarded('postgres', () => require('./neon_hooks_postgres.cjs').hookImport(shim))
}

if (!globalThis[SEEN]) {
  globalThis[SEEN] = true
  if (process.env.NEON_HOOKS_TARGET) {
    try {
      install()
    } catch (error) {
      process.stderr.write(`neon-hooks: the driver shim could not be loaded: ${error}\n`)
    }
  }
}
