// The blocking app, which accepts no connection for as long as its event loop is behind: the next turn but one decides.
require('./blocking.js')
const server = require('./server.js')

const everyMs = 10
const behindMs = 20
let expected = performance.now() + everyMs
let isPaused = false

setInterval(() => {
  const isBehind = performance.now() - expected > behindMs
  expected = performance.now() + everyMs
  const handle = server._handle
  if (!handle || isBehind === isPaused) return
  isPaused = isBehind
  // the handle of a listening socket: the one watch is for what arrives there
  if (isPaused) handle.readStop()
  else handle.readStart()
}, everyMs).unref()
