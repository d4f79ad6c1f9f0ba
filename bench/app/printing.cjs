// Prints lines of 100 bytes: node printing.cjs lines|blocks COUNT. `lines` calls console.log for each, `blocks` writes 64 KiB at a time. With
// PRINT_JSON, each line is a JSON object.
const fs = require('node:fs')
const http = require('node:http')

const [, , form, count] = process.argv
/** Time for the program that starts it to settle, in ms. */
const settleMs = 2000
const linesPerTurn = 1000
// the lines are equally long
const padding = 'x'.repeat(process.env.PRINT_JSON ? 64 : 90)
const text = number => `${String(number).padStart(8, '0')} ${padding}`
const lineOf = process.env.PRINT_JSON ? number => `{"level":"info","line":"${text(number)}"}` : text

function writeAll(bytes) {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += fs.writeSync(1, bytes, done)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

function end() {
  writeAll(Buffer.from('END\n'))
}

function printLines(from) {
  const to = Math.min(from + linesPerTurn, Number(count))
  for (let number = from; number < to; number++) console.log(lineOf(number))
  if (to < Number(count)) setImmediate(printLines, to)
  else process.stdout.write('', end)
}

function printBlocks() {
  const block = Buffer.from(Array.from({ length: 655 }, (_, number) => `${lineOf(number)}\n`).join(''))
  const line = block.length / 655
  for (let left = Number(count); left > 0; left -= 655) writeAll(block.subarray(0, Math.min(left, 655) * line))
  end()
}

// a server, because Monohull waits for one
http.createServer().listen(0, '127.0.0.1', () =>
  setTimeout(() => {
    writeAll(Buffer.from(`BEGIN ${Date.now()}\n`))
    if (form === 'lines') printLines(0)
    else printBlocks()
  }, settleMs),
)
