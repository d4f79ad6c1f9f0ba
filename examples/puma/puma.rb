# The inherited socket, and no other.
bind_to_activated_sockets 'only'
# One process: Monohull starts the others. Each handles up to five requests at a time.
workers 0
threads 1, 5
# A drained worker exits with 0.
raise_exception_on_sigterm false
