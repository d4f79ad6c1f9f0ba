import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  fillPort,
  identityEnv,
  instanceEnv,
  programEnv,
  type WorkerEnvSources,
  type WorkerIdentity,
  workerEnv,
} from '../../../supervisor/processes/environment.ts'

const sources: WorkerEnvSources = {
  inherited: {},
  configured: {},
  account: {},
  instance: {},
  preload: '/opt/monohull/dist/preload.cjs',
}
const identity: WorkerIdentity = {
  app: 'app',
  slot: 2,
  workers: 4,
  socketInode: 4711,
  namesDescriptor: false,
  port: undefined,
  stopSignal: 'SIGTERM',
  gracefulTimeoutMs: 8000,
  loadIntervalMs: undefined,
  heartbeatMs: 0,
  requestLimit: 0,
}

describe('processes/environment: programs without a socket', () => {
  it('get the environment without socket variables', () => {
    const inherited = { PATH: '/bin', MONOHULL_HTTP_PORT: '80', LISTEN_FDS: '1', NODE_OPTIONS: '--enable-source-maps' }
    const configured = { TOKEN: 'x', PATH: '/own' }
    assert.deepEqual(
      programEnv({ inherited, configured, account: { HOME: '/home/app' }, instance: instanceEnv('/run/x', {}) }),
      {
        MONOHULL_RUN_DIR: '/run/x',
        PATH: '/own',
        NODE_OPTIONS: '--enable-source-maps',
        HOME: '/home/app',
        TOKEN: 'x',
      },
    )
  })

  it('get variables that identify them', () => {
    assert.deepEqual(identityEnv({ app: 'queue', slot: 2, workers: 3 }), {
      MONOHULL_APP: 'queue',
      MONOHULL_SLOT: '2',
      MONOHULL_WORKER: 'queue.2',
      MONOHULL_WORKERS: '3',
    })
  })
})

describe('processes/environment: workers', () => {
  it('of uWSGI accept request heads as large as nginx does, unless app.env says otherwise', () => {
    const sizeIn = (configured: Record<string, string>, protocol?: string) =>
      workerEnv({ ...sources, configured }, { ...identity, protocol }).UWSGI_BUFFER_SIZE
    assert.deepEqual([sizeIn({}), sizeIn({}, 'uwsgi')], [undefined, '65535'])
    assert.equal(sizeIn({ UWSGI_BUFFER_SIZE: '8192' }, 'uwsgi'), '8192')
  })

  it('follows the worker contract for an inherited socket', () => {
    assert.deepEqual(workerEnv(sources, identity), {
      LISTEN_FDS: '1',
      LISTEN_FDNAMES: 'http',
      MONOHULL_APP: 'app',
      MONOHULL_GRACEFUL_TIMEOUT_MS: '8000',
      MONOHULL_NOTIFY_FD: '4',
      MONOHULL_SLOT: '2',
      MONOHULL_SOCKET_INODE: '4711',
      MONOHULL_WORKER: 'app.2',
      MONOHULL_WORKERS: '4',
      NODE_OPTIONS: '--require /opt/monohull/dist/preload.cjs',
    })
  })

  it('leaves out LISTEN_FDS if the command names the descriptor', () => {
    const env = workerEnv(sources, { ...identity, namesDescriptor: true })
    for (const name of ['LISTEN_FDS', 'LISTEN_FDNAMES']) assert.equal(name in env, false, name)
    assert.deepEqual([env.MONOHULL_SOCKET_INODE, env.MONOHULL_NOTIFY_FD], ['4711', '4'])
  })

  it('follows the worker contract for a port', () => {
    const env = workerEnv(sources, { ...identity, socketInode: undefined, port: 40_001 })
    assert.equal(env.PORT, '40001')
    assert.equal(env.MONOHULL_NOTIFY_FD, '3')
    for (const name of ['LISTEN_FDS', 'LISTEN_FDNAMES', 'MONOHULL_SOCKET_INODE']) assert.equal(name in env, false, name)
  })

  it('passes on the environment without the variables that configure monohull and its other children', () => {
    const inherited = {
      PATH: '/bin',
      DATABASE_URL: 'x',
      PORT: '3000',
      UNSET: undefined,
      LISTEN_FDS: '9',
      LISTEN_PID: '1',
      LISTEN_FDNAMES: 'other',
      LISTEN_ADDRESS: 'kept',
      NOTIFY_SOCKET: '/run/systemd/notify',
      NGINX: '3;4;',
      NGINX_HOST: 'kept',
      WEB_CONCURRENCY: '9',
      MONOHULL_COMMAND: 'x',
      MONOHULL_STATE_DIR: '/x',
    }
    const env = workerEnv({ ...sources, inherited }, { ...identity, socketInode: undefined })
    const own = Object.keys(env).filter(name => !/^(MONOHULL_|NODE_OPTIONS)/.test(name))
    assert.deepEqual(own.sort(), ['DATABASE_URL', 'LISTEN_ADDRESS', 'NGINX_HOST', 'PATH', 'PORT'])
    assert.equal('MONOHULL_COMMAND' in env || 'MONOHULL_STATE_DIR' in env, false)
  })

  it('prefers configured variables to those of the account, and both to inherited ones', () => {
    const env = workerEnv(
      {
        ...sources,
        inherited: { A: 'inherited', HOME: '/root', USER: 'root' },
        account: { HOME: '/home/app', USER: 'app' },
        configured: { A: 'configured', HOME: '/data', WEB_CONCURRENCY: '1' },
      },
      identity,
    )
    assert.deepEqual([env.A, env.HOME, env.USER, env.WEB_CONCURRENCY], ['configured', '/data', 'app', '1'])
  })

  it('does not let other sources override the contract', () => {
    const configured = { LISTEN_FDS: '9', MONOHULL_SLOT: '9', MONOHULL_NOTIFY_FD: '9' }
    const env = workerEnv({ ...sources, configured }, identity)
    assert.deepEqual([env.LISTEN_FDS, env.MONOHULL_SLOT, env.MONOHULL_NOTIFY_FD], ['1', '2', '4'])
  })

  it('appends the NODE_OPTIONS of the app to its own', () => {
    const env = workerEnv({ ...sources, inherited: { NODE_OPTIONS: '--max-old-space-size=100' } }, identity)
    assert.equal(env.NODE_OPTIONS, '--require /opt/monohull/dist/preload.cjs --max-old-space-size=100')
  })

  it('quotes a preload path with spaces for Node', () => {
    const env = workerEnv({ ...sources, preload: '/a "b" c/preload.cjs' }, identity)
    assert.equal(env.NODE_OPTIONS, '--require "/a \\"b\\" c/preload.cjs"')
  })
})

describe('processes/environment: fillPort', () => {
  it('replaces $PORT, with or without braces, and nothing else', () => {
    const words = ['$PORT', `0:\${PORT}`, '$PORT:$PORT', '$PORTS', '$HOME', 'PORT']
    assert.deepEqual(fillPort(words, 8000), ['8000', '0:8000', '8000:8000', '$PORTS', '$HOME', 'PORT'])
  })

  it('changes nothing without a port', () => assert.deepEqual(fillPort(['$PORT'], undefined), ['$PORT']))
})
