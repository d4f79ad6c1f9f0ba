import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ask } from './ask.ts'
import { docker, runToEnd, startContainer } from './docker.ts'

const readOnly = ['--read-only', '--tmpfs', '/run', '--tmpfs', '/tmp']
const otherUser = ['--user', '12345']
const noCapabilities = ['--cap-drop', 'ALL', '--env', 'MONOHULL_HTTP_PORT=8080', '--env', 'MONOHULL_HTTPS_PORT=8443']
const noNewPrivileges = ['--security-opt', 'no-new-privileges']
/** As `CMD` without brackets, whose shell monohull replaces. */
const shellForm = ['/bin/sh', '-c', 'export PATH=/app/bin:$PATH; monohull run']
const unprivilegedPorts = { httpPort: 8080, httpsPort: 8443 }

const cases: { name: string; args: string[]; command?: string[]; httpPort?: number; httpsPort?: number }[] = [
  { name: 'a read-only root, with a shell as the command', args: readOnly, command: shellForm },
  { name: 'a user that the image does not know', args: otherUser },
  { name: 'such a user with a group of its own', args: ['--user', '12345:12345'] },
  { name: 'the user app, with a shell as the command', args: ['--user', 'app'], command: shellForm },
  { name: 'no capabilities', args: noCapabilities, ...unprivilegedPorts },
  { name: 'no new privileges', args: noNewPrivileges },
  {
    name: 'all of it together, with a shell as the command',
    command: shellForm,
    args: [...readOnly, ...otherUser, ...noCapabilities, ...noNewPrivileges],
    ...unprivilegedPorts,
  },
  { name: 'all of it, as root', args: [...readOnly, ...noCapabilities, ...noNewPrivileges], ...unprivilegedPorts },
]

describe('hardening', { concurrency: 2 }, () => {
  for (const { name, ...options } of cases) {
    it(`${name}: serves, is healthy, checks and stops cleanly`, async t => {
      const container = await startContainer(t, options)
      assert.equal((await ask(`${await container.https()}/`)).status, 200)
      assert.equal((await ask(`${await container.http()}/healthz`)).status, 200)
      const health = await container.exec('node', '/opt/monohull/dist/healthcheck.cjs')
      assert.equal(health.code, 0, health.stdout)
      await docker(['stop', container.id])
      assert.equal(await container.ended(), 0)
    })
  }

  it('run by another user, everything runs as that one', async t => {
    const container = await startContainer(t, { args: otherUser })
    assert.deepEqual(new Set((await container.processes()).map(({ uid }) => uid)), new Set([12345]))
  })

  it('a state folder that any user may bring keeps the certificate', async t => {
    const container = await startContainer(t, {
      args: [...readOnly, ...otherUser, '--tmpfs', '/var/lib/monohull:mode=1777'],
    })
    const { stdout } = await container.exec('ls', '/var/lib/monohull')
    assert.match(stdout, /\.key/)
  })

  it('a port that the user may not bind: says so, and which to take', async () => {
    const guarded = ['--user', '12345', '--cap-drop', 'ALL', '--sysctl', 'net.ipv4.ip_unprivileged_port_start=1024']
    const { code, stderr } = await runToEnd(guarded, ['run'])
    assert.equal(code, 78)
    assert.match(stderr, /cannot listen on 0\.0\.0\.0:80: permission denied/)
    assert.match(stderr, /MONOHULL_HTTP_PORT=8080/)
  })
})
