// A gRPC server with one unary call, which returns its message. It listens on $PORT, or on the socket of a Monohull worker.
const grpc = require('@grpc/grpc-js')

const bytes = { serialize: value => value, deserialize: value => value }
const server = new grpc.Server()
server.addService(
  {
    say: {
      path: '/bench.Echo/Say',
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes.serialize,
      requestDeserialize: bytes.deserialize,
      responseSerialize: bytes.serialize,
      responseDeserialize: bytes.deserialize,
    },
  },
  { say: (call, done) => done(null, call.request) },
)
server.bindAsync(`127.0.0.1:${process.env.PORT ?? 0}`, grpc.ServerCredentials.createInsecure(), error => {
  if (error) throw error
})
process.on('SIGTERM', () => process.exit())
