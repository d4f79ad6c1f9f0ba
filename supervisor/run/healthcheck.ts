import http from 'node:http'
import net from 'node:net'
import { readableEnv } from '../config/variables.ts'
import { searchInstance } from './adapters/instance-search.ts'

/** Docker's HEALTHCHECK: requests the liveness path on the HTTP port. Exits with 0 if it is healthy, else with 1 and prints the reason. */
const timeoutMs = 2500

function fail(reason: string): never {
  process.stdout.write(`unhealthy: ${reason}\n`)
  process.exit(1)
}

const { MONOHULL_RUN_DIR: runDir = '/run/monohull', MONOHULL_IMAGE: image } = readableEnv(process.env)
const instance = searchInstance(runDir, image === '1')
if (!instance?.isServing) fail('monohull is not serving yet')
if (instance.livePath === 'off') process.exit(0)
const { httpHost: host, httpPort: port, livePath: path, proxyProtocol } = instance

/** Connection without a client address, which the PROXY protocol calls UNKNOWN. */
function connect(): net.Socket {
  const socket = net.connect({ host, port: port ?? 0 })
  if (proxyProtocol) socket.write('PROXY UNKNOWN\r\n')
  return socket
}

const request = http.get({ host, port, path, timeout: timeoutMs, createConnection: connect }, response => {
  if (response.statusCode === 200) process.exit(0)
  fail(`${path} returned ${response.statusCode}`)
})
request.on('timeout', () => fail(`no response within ${timeoutMs / 1000} s`))
request.on('error', error => fail(error.message))
