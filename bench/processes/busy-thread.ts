// What the thread of the sandbox runs where tasks keep it busy.
import { exposeTaskHandler } from 'taskdist';
import { runBusyTask } from './busy.ts';

exposeTaskHandler(runBusyTask);
