import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planChildren } from '../../../../supervisor/workers/php/children.ts'
import { describeFpmProblem, fpmCommand, fpmEnv, includesIn } from '../../../../supervisor/workers/php/fpm.ts'

const megabyte = 2 ** 20

describe('workers/php/children', () => {
  it('follow the memory, at most 10 for each CPU, at least 2', () => {
    const max = (megabytes: number, cpus: number) =>
      planChildren(undefined, { cpus, memoryBytes: megabytes * megabyte }).max
    assert.deepEqual([max(64, 1), max(512, 1), max(1024, 2), max(16_384, 4)], [2, 6, 12, 40])
  })

  it('are always numbers that FPM accepts: minSpare ≤ start ≤ maxSpare ≤ max', () => {
    for (const max of [undefined, 1, 2, 5, 200]) {
      for (const cpus of [1, 2, 8, 64]) {
        const of = planChildren(max, { cpus, memoryBytes: 512 * megabyte })
        assert.ok(of.minSpare >= 1 && of.minSpare <= of.start, JSON.stringify(of))
        assert.ok(of.start <= of.maxSpare && of.maxSpare <= of.max, JSON.stringify(of))
      }
    }
  })
})

describe('workers/php/fpm', () => {
  const children = { max: 4, start: 1, minSpare: 1, maxSpare: 2 }
  const values = { children, maxRequests: 500, gracefulTimeoutMs: 7500 }

  it('settings of php.ini are arguments', () => {
    const ini = { memory_limit: '256M', display_errors: false, 'opcache.jit': 1 }
    const words = fpmCommand({ program: '/usr/sbin/php-fpm8.2', config: '/fpm.conf', ini })
    assert.deepEqual(words.slice(5), ['-d', 'memory_limit=256M', '-d', 'display_errors=0', '-d', 'opcache.jit=1'])
  })

  it('the inherited socket has the name that the configuration listens on', () => {
    assert.equal(fpmEnv({ ...values, ownText: undefined }).FPM_SOCKETS, '/proc/monohull.sock=3')
    assert.equal(fpmEnv({ ...values, ownText: undefined }).MONOHULL_PHP_GRACEFUL_TIMEOUT, '8s')
    const ownText = '[www]\n;listen = /no\n listen = "/run/php.sock" ; socket\nlisten.mode = 0660\n'
    assert.deepEqual(fpmEnv({ ...values, ownText }), { FPM_SOCKETS: '/run/php.sock=3' })
  })

  it('included files are found', () => {
    assert.deepEqual(includesIn('include=etc/php-fpm.d/*.conf\n;include = /x\n'), ['etc/php-fpm.d/*.conf'])
  })

  it('a configuration with no pool, several pools or no unix socket is a problem', () => {
    assert.match(describeFpmProblem('[global]\n')?.problem ?? '', /no pool/)
    assert.match(describeFpmProblem('[a]\n[b]\n')?.problem ?? '', /the pools a, b/)
    assert.match(describeFpmProblem('[www]\n')?.problem ?? '', /no listen/)
    assert.match(describeFpmProblem('[www]\nlisten = 9000\n')?.fix ?? '', /\/proc\/monohull\.sock/)
    // the official image adds to a section in several files
    const log = '[global]\nerror_log = /proc/self/fd/2\nprocess_control_timeout = 8\n'
    assert.equal(describeFpmProblem(`${log}[www]\nlisten = 9000\n[www]\nlisten = /run/a.sock\n`), undefined)
    const unfinished = '[global]\nerror_log = /dev/null\n[www]\nlisten = /run/a.sock\n'
    assert.match(describeFpmProblem(unfinished)?.fix ?? '', /process_control_timeout = 8s in \[global\]/)
    // the master is not root
    assert.match(
      describeFpmProblem('[www]\nlisten = /run/a.sock\n')?.fix ?? '',
      /error_log = \/dev\/null in \[global\]/,
    )
  })
})
