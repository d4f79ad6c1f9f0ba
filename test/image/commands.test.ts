import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'
import { repository, runToEnd, startContainer, until } from './docker.ts'

describe('docker run image <command>', () => {
  const cases: { command: string[]; code: number; prints: RegExp }[] = [
    { command: ['node', '-v'], code: 0, prints: /^v24\./ },
    { command: ['bash', '-c', 'echo "$0 $1"', 'hi', 'two words'], code: 0, prints: /^hi two words$/m },
    { command: ['sh', '-c', 'exit 7'], code: 7, prints: /^$/ },
    { command: ['version'], code: 0, prints: /^monohull \d+\.\d+\.\d+/ },
    { command: ['monohull', 'version'], code: 0, prints: /^monohull \d+\.\d+\.\d+/ },
    { command: ['--version'], code: 0, prints: /\d+\.\d+\.\d+/ },
    { command: ['help'], code: 0, prints: /Usage/ },
    { command: ['check'], code: 0, prints: /./ },
    { command: ['render'], code: 0, prints: /listen 0\.0\.0\.0:443 .*ssl;/ },
    { command: ['run', '--no-such-flag'], code: 64, prints: /no-such-flag/ },
  ]
  for (const { command, code, prints } of cases) {
    it(`${command.join(' ')} exits ${code}`, async () => {
      const ended = await runToEnd([], command)
      assert.equal(ended.code, code, ended.stderr)
      assert.match(ended.stdout + ended.stderr, prints)
    })
  }

  it('a command that is not there exits as docker users know it: 127', async () => {
    const { code, stderr } = await runToEnd([], ['no-such-command'])
    assert.equal(code, 127)
    assert.match(stderr, /no-such-command/)
  })

  it('a wrong variable exits 78 and says which, with which value, and why', async () => {
    const { code, stderr } = await runToEnd(['--env', 'MONOHULL_WORKERS=four'])
    assert.equal(code, 78)
    assert.match(stderr, /MONOHULL_WORKERS/)
    assert.match(stderr, /four/)
    assert.match(stderr, /whole number/)
  })

  it('check exits 78 for the same mistake', async () => {
    const { code, stdout, stderr } = await runToEnd(['--env', 'MONOHULL_WORKERS=four'], ['check'])
    assert.equal(code, 78)
    assert.match(stdout + stderr, /MONOHULL_WORKERS/)
  })

  it('an unknown key in monohull.yaml exits 78 and names file and line', async () => {
    const script = 'printf "https: on\\nworkerz: 2\\n" >/app/monohull.yaml && exec monohull run'
    const { code, stderr } = await runToEnd([], ['sh', '-c', script])
    assert.equal(code, 78)
    assert.match(stderr, /workerz/)
    assert.match(stderr, /monohull\.yaml:2/)
  })

  it('top through docker exec -it shows the workers, and ends with q', async t => {
    const { id } = await startContainer(t)
    const pty = [`${repository}test/fixtures/in-terminal.py`, '100', '20']
    const child = spawn('python3', [...pty, 'docker', 'exec', '-it', id, 'monohull', 'top'])
    t.after(() => child.kill('SIGKILL'))
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const ended = new Promise(resolve => child.once('close', resolve))
    await until('the workers', async () => /NAME +STATE[\s\S]*>app\.1 +serving +\d+ /.test(output)).catch(error => {
      throw new Error(`${error.message}\n${output}`)
    })
    child.stdin.write('q')
    await ended
    const { code, isRestored } = JSON.parse(output.trim().split('\n').at(-1) ?? '')
    assert.deepEqual([code, isRestored], [0, true], output)
  })

  it('an app that ends at once passes on its exit code, and its last lines', async () => {
    const { code, stdout, stderr } = await runToEnd(
      [],
      ['monohull', 'run', 'node', '-e', 'console.log("cannot reach the database"); process.exit(3)'],
    )
    assert.equal(code, 3)
    assert.match(stdout + stderr, /cannot reach the database/)
  })

  it('an app killed at once by a signal passes on 128 + its number', async () => {
    const { code } = await runToEnd([], ['monohull', 'run', 'sh', '-c', 'kill -9 $$'])
    assert.equal(code, 137)
  })
})
