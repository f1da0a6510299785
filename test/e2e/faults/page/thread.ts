// The script of the page's threads.
import { exposeTaskHandler } from 'taskdist';
import { runTask } from './run.ts';

exposeTaskHandler(runTask);
