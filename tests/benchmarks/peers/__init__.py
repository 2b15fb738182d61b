"""The engines that people use today, each as its documentation says it runs best. One module a peer, run in processes of its own.

What every module offers, called by `python -m tests.benchmarks.peers.<name> <function> '<values as JSON>'`:
`prepare` makes the tables; `enqueue` stores `count` due no-op jobs; `posts` stores jobs that call the recorder at their time;
`crowd` stores pending jobs far ahead and finished ones; `poll` times the query that looks for due work and finds none;
`worker` runs it, where the package has no command of its own for that.
"""
