// The app with the handler that most have: server.close(), which also closes the idle connections. PM2 sends SIGINT.
const server = require('./server.js')

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close(() => process.exit(0)))
