/** node-postgres: clients, pools (which make clients), pg-native. Redirects connect(), notes query(). */
'use strict'

const net = require('net')

const STATUS = Symbol('neon-hooks status')

exports.patch = function (shim, module) {
  const Client = module.exports
  if (typeof Client !== 'function' || !Client.prototype || !Client.prototype.connect) {
    throw new Error('this version of pg has no Client.prototype.connect')
  }
  if (Object.prototype.hasOwnProperty.call(Client.prototype, STATUS)) return
  Object.defineProperty(Client.prototype, STATUS, { value: undefined, writable: true })
  patchConnect(shim, Client.prototype)
  patchQuery(shim, Client.prototype)
}

function patchConnect(shim, prototype) {
  const connect = prototype.connect
  prototype.connect = function () {
    const asked = `host=${this.host} port=${this.port} dbname=${this.database}`
    redirect(shim, this)
    shim.connected('pg', asked)
    this[STATUS] = { id: ++shim.connections, state: 'I', transaction: 0 }
    if (this.connection && this.connection.on) {
      this.connection.on('readyForQuery', (message) => {
        this[STATUS].state = message.status || this[STATUS].state
      })
    }
    return connect.apply(this, arguments)
  }
}

/** Every field from which a client, its connection or libpq takes the address. */
function redirect(shim, client) {
  const { target } = shim
  const parameters = client.connectionParameters || {}
  for (const place of [client, parameters]) {
    Object.assign(place, { host: target.host, port: target.port, user: target.user, database: target.database })
    Object.defineProperty(place, 'password', {
      configurable: true, enumerable: false, writable: true, value: target.password || null,
    })
    place.ssl = target.ssl
    place.replication = undefined
  }
  parameters.isDomainSocket = false
  parameters.options = shim.options(parameters.options)
  parameters.nativeConnectionString = target.uri // pg-native
  client.sslNegotiation = parameters.sslnegotiation = target.sslNegotiation
  const connection = client.connection
  if (connection) {
    connection.ssl = target.ssl
    connection.sslNegotiation = target.sslNegotiation
    // A stream of the project's own (a tunnel, a proxy) would go its own way.
    if (connection.stream && connection.stream.constructor !== net.Socket) connection.stream = new net.Socket()
  }
}

function patchQuery(shim, prototype) {
  const query = prototype.query
  prototype.query = function (config, values, callback) {
    const status = this[STATUS] || { id: 0, state: 'I', transaction: 0 }
    if (status.state === 'I') status.transaction += 1
    const sql = typeof config === 'string' ? config : (config && (config.text || (config.cursor && config.cursor.text))) || '?'
    const params = Array.isArray(values) ? values : config && config.values
    const end = shim.journal.statement(sql, params, status.id, status.transaction)
    const over = (error, result) => {
      const last = Array.isArray(result) ? result[result.length - 1] : result
      end(last && last.rowCount, error)
    }
    const args = Array.from(arguments)
    const at = args.findIndex((each) => typeof each === 'function')
    if (at > 0) {
      args[at] = noting(args[at], over)
    } else if (config && typeof config.callback === 'function') {
      config.callback = noting(config.callback, over)
    } else if (config && typeof config.submit === 'function' && typeof config.handleError === 'function') {
      watch(config, over)
    }
    const result = query.apply(this, args)
    if (!result || typeof result.then !== 'function' || (config && typeof config.submit === 'function')) return result
    return result.then(
      (value) => {
        over(null, value)
        return value
      },
      (error) => {
        over(error)
        throw error
      }
    )
  }
}

function noting(callback, over) {
  return function (error, result) {
    over(error, result)
    return callback.apply(this, arguments)
  }
}

/** Cursors and streams are their own query: they are over when Postgres says so or refuses. */
function watch(submittable, over) {
  const { handleError, handleReadyForQuery } = submittable
  submittable.handleError = function (error) {
    over(error)
    return handleError.apply(this, arguments)
  }
  if (typeof handleReadyForQuery === 'function') {
    submittable.handleReadyForQuery = function () {
      over(null)
      return handleReadyForQuery.apply(this, arguments)
    }
  }
}
