// A careful primary of Node's cluster module: node cluster.cjs ENTRY WORKERS. SIGUSR2 replaces the workers one by one: fork,
// wait until the new one listens, then have the old one drain (SIGTERM). SIGTTIN and SIGTTOU: one more, one fewer.
const cluster = require('node:cluster')

const [entry, count] = process.argv.slice(2)
const killAfterMs = 8000
let wanted = Number(count)
let isRolling = false

cluster.setupPrimary({ exec: entry })
for (let number = 0; number < wanted; number++) cluster.fork()

const serving = () => Object.values(cluster.workers).filter(worker => !worker.isRetired)

cluster.on('exit', worker => {
  if (!worker.isRetired && !worker.isCandidate && serving().length < wanted) cluster.fork()
})

// No worker.disconnect(): it ends the worker under connections that nginx keeps, whatever the app does to drain. The app's
// own close takes it out of the primary's turn.
function retire(worker) {
  worker.isRetired = true
  worker.process.kill('SIGTERM')
  const timer = setTimeout(() => worker.process.kill('SIGKILL'), killAfterMs)
  worker.once('exit', () => clearTimeout(timer))
}

/** True when it listens; false when it ended before. */
function forkAndWait() {
  const worker = cluster.fork()
  worker.isCandidate = true
  return new Promise(resolve => {
    worker.once('listening', () => {
      worker.isCandidate = false
      resolve(true)
    })
    worker.once('exit', () => resolve(false))
  })
}

async function roll() {
  if (isRolling) return
  isRolling = true
  for (const old of serving()) {
    if (!(await forkAndWait())) {
      console.log('rolling restart abandoned')
      break
    }
    retire(old)
  }
  isRolling = false
}

process.on('SIGUSR2', roll)
process.on('SIGTTIN', () => {
  wanted++
  cluster.fork()
})
process.on('SIGTTOU', () => {
  const last = serving().at(-1)
  if (wanted === 1 || !last) return
  wanted--
  retire(last)
})
