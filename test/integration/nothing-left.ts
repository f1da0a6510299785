// Every test of a file that imports this fails if it leaves anything behind: a socket, a timer, a thread, a process, a listener.
import { failOnLeftovers } from '../support/leftovers.ts';

/** What is closed takes a moment to be gone. Threads that compute, and processes, take longest. */
failOnLeftovers(5000);
