// Preload of the workers under test: the real drain behind a gate with one slot. What supervisor and agent say to each
// other goes over node:cluster's own channel here, as `{ sup: … }`.
const cluster = require('node:cluster')
const path = require('node:path')

const drain = require(path.join(process.env.AGENT_DIR, 'drain.js'))
const { traffic } = require(path.join(process.env.AGENT_DIR, 'traffic.js'))
const { missingInternals } = require(path.join(process.env.AGENT_DIR, 'node-internals.js'))

const gates = new Map()

class Gate {
  constructor(key, name, server) {
    Object.assign(this, { key, name, server, slot: null, backlog: 0 })
  }
  listen(backlog) {
    this.backlog = backlog || 511
    this.accept()
    return 0
  }
  attach(slot) {
    this.slot = slot
    this.accept()
  }
  accept() {
    if (!this.slot || !this.backlog) return
    this.slot.onconnection = (error, connection) => {
      if (!error && connection) this.onconnection(0, connection)
    }
    this.slot.listen(this.backlog)
  }
  detach() {
    this.slot?.close()
    this.slot = null
  }
  close(done) {
    this.detach()
    gates.delete(this.key)
    if (done) process.nextTick(() => done.call(this))
  }
  ref() {}
  unref() {}
  getAsyncId() {
    return 0
  }
  getsockname(out) {
    Object.assign(out, this.name)
    return 0
  }
}

const answers = new Map()
cluster._getServer = (server, { address, port, addressType, flags }, done) => {
  const key = `${addressType}:${address}:${port}`
  answers.set(key, (name) => {
    const gate = new Gate(key, name, server)
    gates.set(key, gate)
    drain.watchServer(server)
    done(0, gate)
    process.send({ sup: 'listening', key })
  })
  process.send({ sup: 'listen', key, options: { address, port, addressType, flags } })
}

const orders = {
  listenReply: ({ key, name }) => answers.get(key)(name),
  attach({ key }, slot) {
    gates.get(key).attach(slot)
    process.send({ sup: 'attached', key })
  },
  drain({ deadlineMs, spreadMs }) {
    for (const gate of gates.values()) gate.detach()
    drain.beginDrain({
      deadlineMs,
      spreadMs,
      onProgress: (progress) => process.send({ sup: 'progress', ...progress, at: performance.now() }),
      onDone: (report) => process.send({ sup: 'drained', ...report }),
    })
    process.send({ sup: 'draining' })
  },
  undrain() {
    drain.undoDrain()
    process.send({ sup: 'undrained' })
  },
  traffic: () => process.send({ sup: 'traffic', ...traffic(), missing: missingInternals() }),
  sweepCost: () => process.send({ sup: 'sweepCost', ...process.cpuUsage() }),
}
process.on('message', (message, handle) => {
  if (message?.sup) orders[message.sup](message, handle)
})

drain.setMaxRequestsPerConnection(Number(process.env.MAX_REQUESTS ?? 0))
if (process.env.CLOSE_BOUND) drain.setCloseBound({ deadlineMs: Number(process.env.CLOSE_BOUND), spreadMs: 0 })
