"""What an active node consists of: job queue, worker, publishers, parameters."""
