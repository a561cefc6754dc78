/**
 * The guard below all drivers, also those that a bundler has copied into a file: what begins like a
 * conversation with Postgres must be one with the target. Anything else is refused, and noted.
 */
'use strict'

const net = require('net')

const GOAL = Symbol('neon-hooks goal')
const ASKED = Symbol('neon-hooks asked')
// The first Int32 after the length (manual, section 54.7): SSLRequest, GSSENCRequest, protocol 3.x.
const isPostgres = (code) => code === 80877103 || code === 80877104 || (code >= 196608 && code < 197120)

exports.patch = function (shim) {
  const { connect, write } = net.Socket.prototype

  net.Socket.prototype.connect = function (...args) {
    try {
      this[GOAL] = goal(args)
      this[ASKED] = false
    } catch {}
    return connect.apply(this, args)
  }

  net.Socket.prototype.write = function (chunk, ...rest) {
    let elsewhere = ''
    try {
      elsewhere = wrongAddress(shim.target, this, chunk)
    } catch {}
    if (!elsewhere) return write.call(this, chunk, ...rest)
    shim.connected('socket', elsewhere, false, elsewhere)
    this.destroy(new Error(`neon-hooks: a connection to ${elsewhere} was refused: it is not the test Neon database branch`))
    return false
  }
}

/** host:port or the path that connect() was asked for, in any of its forms. */
function goal(args) {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0] // net.connect() hands over a normalized array
  if (first && typeof first === 'object') return first.path || address(first.host || 'localhost', first.port)
  if (typeof first === 'string' && isNaN(first)) return first
  return address(typeof args[1] === 'string' ? args[1] : 'localhost', first)
}

function address(host, port) {
  return `${String(host).toLowerCase()}:${port}`
}

/** Where a conversation with Postgres leads that is not the target, "" for everything else. */
function wrongAddress(target, socket, chunk) {
  const ours = address(target.host, target.port)
  if (!socket[ASKED] && chunk && chunk.length >= 8 && typeof chunk !== 'string' && socket[GOAL]) {
    socket[ASKED] = true
    if (isPostgres(Buffer.from(chunk.buffer, chunk.byteOffset, 8).readInt32BE(4))) {
      return socket[GOAL] === ours ? '' : socket[GOAL]
    }
  }
  return overHttp(target, chunk)
}

/** Neon's serverless driver: SQL over HTTP or a WebSocket, with the address in a header or the query. */
function overHttp(target, chunk) {
  const text = typeof chunk === 'string' ? chunk : String.fromCharCode(...chunk.slice(0, 5))
  if (!text.startsWith('POST ') && !text.startsWith('GET /')) return ''
  const head = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1')
  const header = /\r\nneon-connection-string: *(\S+)/i.exec(head)
  const query = /^GET \/v\d\?address=([^ &]+)/.exec(head)
  if (!header && !query) return ''
  const host = header ? new URL(header[1]).hostname : decodeURIComponent(query[1]).replace(/:\d+$/, '')
  return host.toLowerCase() === target.host.toLowerCase() ? '' : host
}
