import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeExit, exitCodeOf } from '../../../supervisor/processes/exit.ts'
import { type DeathFacts, explainDeath } from '../../../supervisor/workers/deaths/death.ts'

const facts: DeathFacts = {
  exit: { kind: 'code', code: 1 },
  wasReady: false,
  cause: undefined,
  hang: undefined,
  program: 'serve',
  argv: ['serve', '-p', '3000', '--spa'],
  listen: 'inherit',
  port: undefined,
  bootTimeoutMs: 30_000,
  otherPorts: [],
  otherOwner: undefined,
  memoryLimit: undefined,
}
const withCode = (code: number): DeathFacts => ({ ...facts, exit: { kind: 'code', code } })

describe('workers/deaths/death', () => {
  it('explains exit codes 127 and 126 like a shell', () => {
    assert.match(explainDeath(withCode(127)) ?? '', /^the command serve was not found; install it/)
    assert.match(explainDeath(withCode(126)) ?? '', /^the command serve cannot be executed; chmod/)
  })

  it('distinguishes the OOM killer from other killers', () => {
    const killed = { kind: 'signal', signal: 'SIGKILL', number: 9 } as const
    assert.equal(explainDeath({ ...facts, exit: killed, memoryLimit: 2 ** 28 }), undefined)
    const victim: DeathFacts = { ...facts, exit: { ...killed, isOutOfMemory: true } }
    assert.match(explainDeath(victim) ?? '', /^the kernel killed it: no memory was left in its cgroup; raise/)
    assert.match(explainDeath({ ...victim, memoryLimit: 2 ** 28 }) ?? '', /limited to 256 MB; raise the limit/)
    assert.equal(describeExit(victim.exit), 'signal SIGKILL (out of memory)')
  })

  it('explains that the command must stay in the foreground', () => {
    assert.match(explainDeath(withCode(0)) ?? '', /must stay in the foreground/)
  })

  it('adds nothing to an exit that says enough', () => {
    assert.equal(explainDeath(withCode(1)), undefined)
    assert.equal(explainDeath({ ...facts, exit: { kind: 'signal', signal: 'SIGSEGV', number: 11 } }), undefined)
    for (const code of [0, 126, 127]) assert.equal(explainDeath({ ...withCode(code), wasReady: true }), undefined)
    assert.equal(explainDeath({ ...withCode(1), cause: 'requested' }), undefined)
  })

  it('gives the fix for a worker that never listened', () => {
    const silent: DeathFacts = {
      ...facts,
      cause: 'boot timeout',
      exit: { kind: 'signal', signal: 'SIGTERM', number: 15 },
    }
    assert.equal(
      explainDeath(silent),
      'it did not listen within boot_timeout 30s; let it listen on file descriptor 3 (Gunicorn: --bind fd://3, Uvicorn: --fd 3), or set listen: port, or raise boot_timeout',
    )
    assert.equal(
      explainDeath({ ...silent, listen: 'port', otherPorts: [3000, 3001], bootTimeoutMs: 1500 }),
      'it did not listen within boot_timeout 1.5s; it listens on port 3000, 3001 instead; let it listen on the port in $PORT, or raise boot_timeout',
    )
    assert.equal(
      explainDeath({ ...silent, listen: 'port', port: 3000, otherPorts: [3000], protocol: 'grpc' }),
      'it listens on its port 3000, but did not respond in grpc within boot_timeout 30s; set app.protocol to what it speaks, or raise boot_timeout',
    )
    assert.match(
      explainDeath({ ...silent, otherPorts: [3000], otherOwner: 'node (pid 42)' }) ?? '',
      /on port 3000 instead, in node \(pid 42\), which serve -p 3000 started without descriptor 3; run that program itself/,
    )
  })
})

describe('processes/exit', () => {
  it('returns the exit code that a shell returns', () => {
    assert.equal(exitCodeOf({ kind: 'code', code: 3 }), 3)
    assert.equal(exitCodeOf({ kind: 'signal', signal: 'SIGKILL', number: 9 }), 137)
  })

  it('describes an exit', () => {
    assert.equal(describeExit({ kind: 'code', code: 3 }), 'exit code 3')
    assert.equal(describeExit({ kind: 'signal', signal: 'SIGKILL', number: 9 }), 'signal SIGKILL')
  })
})
