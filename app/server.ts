import { createApp } from './app.ts'

const port = process.env.PORT ?? 3000

createApp({ env: process.env, pid: process.pid, uptimeSeconds: () => process.uptime() }).listen(port, error => {
  if (error) throw error
  console.log(`example app listening on port ${port}`)
})
