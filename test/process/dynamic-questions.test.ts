import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, rmSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { postText } from '../../supervisor/base/adapters/unix-http.ts'
import { startDynamic, who } from './dynamic-monohull.ts'
import { defer, type Monohull, until } from './monohull.ts'

const host = 'asked.example.com'

/** Stands where the supervisor answers nginx, and answers what the test says, when it says so. */
async function takeQuestions(t: TestContext, { folder }: Monohull) {
  const path = join(folder, 'run/routes.sock')
  const asked: { answer: (text: string) => void }[] = []
  rmSync(path)
  const sockets = new Set<net.Socket>()
  const server = net.createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}) // nginx waits for so long
    socket.once('data', () => asked.push({ answer: text => socket.end(text) }))
  })
  server.listen(path)
  await once(server, 'listening')
  chmodSync(path, 0o666)
  defer(t, () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    asked,
    /** The next question that nobody answered yet. */
    next: () => until('a question', () => asked.shift()),
    /** Answers every question, until it is told to end. */
    answerAll(text: () => string) {
      const over = new AbortController()
      const answering = until('the end', () => {
        asked.shift()?.answer(text())
        return over.signal.aborted
      })
      return async () => {
        over.abort()
        await answering
      }
    },
  }
}

/** Above every version of the supervisor. */
const base = 9e15
const leadsTo = (target: string, version = base) => `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${version} ${target}`
const unknown = `HTTP/1.1 404 Not Found\r\n\r\n${base}`

describe('where a new host leads', () => {
  it('is asked once, however many want to know; so is that it leads nowhere', async t => {
    const monohull = await startDynamic(t)
    const questions = await takeQuestions(t, monohull)
    for (const [answer, expected, name] of [
      [leadsTo('app:other'), 'other', host],
      [unknown, '403', 'nobody.example.com'],
    ] as const) {
      const visits = Array.from({ length: 50 }, () => who(monohull, name))
      const question = await questions.next()
      question.answer(answer)
      assert.deepEqual(new Set(await Promise.all(visits)), new Set([expected]))
      assert.equal(await who(monohull, name), expected)
      assert.equal(questions.asked.length, 0)
    }
  })

  it('is what nginx was told last, and not what was answered before that', async t => {
    const monohull = await startDynamic(t)
    const questions = await takeQuestions(t, monohull)
    for (const [index, old] of [leadsTo('app:web'), unknown].entries()) {
      const name = `h${index}.example.com`
      const visit = who(monohull, name)
      const question = await questions.next()
      await postText(join(monohull.folder, 'run/routes-changed.sock'), `${base + index + 2} s\n${name} app:other\n`)
      question.answer(old)
      const end = questions.answerAll(() => leadsTo('app:other', base + index + 2))
      assert.equal(await visit, 'other')
      assert.equal(await who(monohull, name), 'other')
      await end()
    }
  })

  it('is 503 where the answer makes no sense, and never a socket or a name', async t => {
    const monohull = await startDynamic(t)
    const questions = await takeQuestions(t, monohull)
    const targets = [
      'none',
      'app:nobody',
      'address:unix:/run/x.sock',
      'address:localhost:80',
      '@monohull_app_web',
      'web',
    ]
    for (const [index, target] of targets.entries()) {
      const visit = who(monohull, `h${index}.example.com`)
      const question = await questions.next()
      question.answer(leadsTo(target))
      assert.equal(await visit, '503', target)
    }
    // what is no answer is asked for again, for two seconds
    const noAnswers = [
      'HTTP/1.1 500 Oops\r\n\r\n',
      'garbage',
      '',
      'HTTP/1.1 200 OK\r\n\r\n',
      'HTTP/1.1 404 No\r\n\r\nx',
    ]
    const end = questions.answerAll(() => noAnswers[Math.floor(Math.random() * noAnswers.length)] ?? '')
    assert.equal(await who(monohull, host), '503')
    await end()
  })
})
