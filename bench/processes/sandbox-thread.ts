// What the thread of taskdist's sandbox runs.
import { exposeTaskHandler } from 'taskdist';
import { fibonacci } from './fibonacci.ts';

exposeTaskHandler(fibonacci);
