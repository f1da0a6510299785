// The wire format, byte by byte. Whoever changes a frame here changes the protocol: see docs/protocol.md.
import type { MasterMessage, WorkerMessage } from '../../../src/protocol/messages.ts';

/** Messages, and the one frame that they make in each codec. */
export interface GoldenFrame<Message> {
  readonly name: string;
  readonly messages: readonly Message[];
  /** In hexadecimal; blanks are for the eye. */
  readonly msgpack: string;
  readonly json: string;
}

export const goldenWorkerFrames: readonly GoldenFrame<WorkerMessage>[] = [
  {
    name: 'hello',
    messages: [[0, { version: 1, name: 'Ada', platform: 'node', concurrency: 4, prefetch: 2 }]],
    msgpack:
      '91 92 00 85 a776657273696f6e 01 a46e616d65 a3416461 a8706c6174666f726d a46e6f6465 ' +
      'ab636f6e63757272656e6379 04 a87072656665746368 02',
    json: '[[0,{"version":1,"name":"Ada","platform":"node","concurrency":4,"prefetch":2}]]',
  },
  {
    name: 'hello of a worker that chooses',
    messages: [
      [0, { version: 1, name: 'A', platform: 'browser', concurrency: 0, prefetch: 65_536, accepts: ['x', 'é'] }],
    ],
    msgpack:
      '91 92 00 86 a776657273696f6e 01 a46e616d65 a141 a8706c6174666f726d a762726f77736572 ' +
      'ab636f6e63757272656e6379 00 a87072656665746368 ce00010000 a761636365707473 92 a178 a2c3a9',
    json: '[[0,{"version":1,"name":"A","platform":"browser","concurrency":0,"prefetch":65536,"accepts":["x","é"]}]]',
  },
  {
    name: 'hello of a worker with a token',
    messages: [[0, { version: 1, name: 'A', platform: 'node', concurrency: 1, prefetch: 0, token: 's3' }]],
    msgpack:
      '91 92 00 86 a776657273696f6e 01 a46e616d65 a141 a8706c6174666f726d a46e6f6465 ' +
      'ab636f6e63757272656e6379 01 a87072656665746368 00 a5746f6b656e a27333',
    json: '[[0,{"version":1,"name":"A","platform":"node","concurrency":1,"prefetch":0,"token":"s3"}]]',
  },
  {
    name: 'done',
    messages: [[5, 1, { sum: 1.5, parts: [true, null] }]],
    msgpack: '91 93 05 01 82 a373756d cb3ff8000000000000 a57061727473 92 c3 c0',
    json: '[[5,1,{"sum":1.5,"parts":[true,null]}]]',
  },
  {
    name: 'done without a result',
    messages: [[5, 300, undefined]],
    msgpack: '91 93 05 cd012c d40000',
    json: '[[5,300,{"$":["undefined"]}]]',
  },
  {
    name: 'done with bytes',
    messages: [[5, 70_000, new Uint8Array([0, 127, 255])]],
    msgpack: '91 93 05 ce00011170 c403 007fff',
    json: '[[5,70000,{"$":["Uint8Array","AH//"]}]]',
  },
  {
    name: 'failed',
    messages: [[6, 2, { name: 'TypeError', message: 'no', stack: 'at x', code: 'E_NO' }]],
    msgpack:
      '91 93 06 02 84 a46e616d65 a9547970654572726f72 a76d657373616765 a26e6f a5737461636b a461742078 a4636f6465 a4455f4e4f',
    json: '[[6,2,{"name":"TypeError","message":"no","stack":"at x","code":"E_NO"}]]',
  },
  {
    name: 'rejected',
    messages: [[7, 3, 'no GPU']],
    msgpack: '91 93 07 03 a66e6f20475055',
    json: '[[7,3,"no GPU"]]',
  },
  { name: 'released', messages: [[8, 4]], msgpack: '91 92 08 04', json: '[[8,4]]' },
  { name: 'credit', messages: [[9, 0, 0, 3]], msgpack: '91 94 09 00 00 03', json: '[[9,0,0,3]]' },
  {
    name: 'credit of a worker that leaves its prefetch to the master',
    messages: [[9, 2, 'auto', 0]],
    msgpack: '91 94 09 02 a46175746f 00',
    json: '[[9,2,"auto",0]]',
  },
  {
    name: 'credit of a client that does not say how many attempts run',
    messages: [[9, 0, 0]],
    msgpack: '91 93 09 00 00',
    json: '[[9,0,0]]',
  },
  {
    name: 'hello of a worker with labels',
    messages: [
      [
        0,
        {
          version: 1,
          name: 'A',
          platform: 'node',
          concurrency: 1,
          prefetch: 'auto',
          labels: { gpu: true, memory: 8, region: 'eu' },
        },
      ],
    ],
    msgpack:
      '91 92 00 86 a776657273696f6e 01 a46e616d65 a141 a8706c6174666f726d a46e6f6465 ab636f6e63757272656e6379 01 ' +
      'a87072656665746368 a46175746f a66c6162656c73 83 a3677075 c3 a66d656d6f7279 08 a6726567696f6e a26575',
    json: '[[0,{"version":1,"name":"A","platform":"node","concurrency":1,"prefetch":"auto","labels":{"gpu":true,"memory":8,"region":"eu"}}]]',
  },
  {
    name: 'progress',
    messages: [[12, 5, { done: 0.5 }]],
    msgpack: '91 93 0c 05 81 a4646f6e65 cb3fe0000000000000',
    json: '[[12,5,{"done":0.5}]]',
  },
  {
    name: 'hello of a worker that lost its connection',
    messages: [
      [
        0,
        {
          version: 1,
          name: 'A',
          platform: 'node',
          concurrency: 1,
          prefetch: 0,
          resume: { worker: 'w1', secret: 'abc', received: 300 },
        },
      ],
    ],
    msgpack:
      '91 92 00 86 a776657273696f6e 01 a46e616d65 a141 a8706c6174666f726d a46e6f6465 ab636f6e63757272656e6379 01 ' +
      'a87072656665746368 00 a6726573756d65 83 a6776f726b6572 a27731 a6736563726574 a3616263 a87265636569766564 cd012c',
    json: '[[0,{"version":1,"name":"A","platform":"node","concurrency":1,"prefetch":0,"resume":{"worker":"w1","secret":"abc","received":300}}]]',
  },
  { name: 'received', messages: [[13, 300]], msgpack: '91 92 0d cd012c', json: '[[13,300]]' },
  { name: 'pong', messages: [[10, 7]], msgpack: '91 92 0a 07', json: '[[10,7]]' },
  {
    name: 'pong of a worker whose thread was held by a handler',
    messages: [[10, 7, 2000]],
    msgpack: '91 93 0a 07 cd07d0',
    json: '[[10,7,2000]]',
  },
  {
    name: 'several messages',
    messages: [
      [8, 1],
      [8, 2],
      [10, 3],
    ],
    msgpack: '93 920801 920802 920a03',
    json: '[[8,1],[8,2],[10,3]]',
  },
];

export const goldenMasterFrames: readonly GoldenFrame<MasterMessage>[] = [
  {
    name: 'welcome',
    messages: [
      [1, { version: 1, worker: 'w1', pingInterval: 10_000, socketTimeout: 30_000, maxFrameBytes: 1_048_576 }],
    ],
    msgpack:
      '91 92 01 85 a776657273696f6e 01 a6776f726b6572 a27731 ac70696e67496e74657276616c cd2710 ' +
      'ad736f636b657454696d656f7574 cd7530 ad6d61784672616d654279746573 ce00100000',
    json: '[[1,{"version":1,"worker":"w1","pingInterval":10000,"socketTimeout":30000,"maxFrameBytes":1048576}]]',
  },
  {
    name: 'welcome back',
    messages: [
      [
        1,
        {
          version: 1,
          worker: 'w1',
          pingInterval: 10_000,
          socketTimeout: 30_000,
          maxFrameBytes: 1_048_576,
          resume: { secret: 'abc', window: 5000, received: 300 },
        },
      ],
    ],
    msgpack:
      '91 92 01 86 a776657273696f6e 01 a6776f726b6572 a27731 ac70696e67496e74657276616c cd2710 ' +
      'ad736f636b657454696d656f7574 cd7530 ad6d61784672616d654279746573 ce00100000 ' +
      'a6726573756d65 83 a6736563726574 a3616263 a677696e646f77 cd1388 a87265636569766564 cd012c',
    json: '[[1,{"version":1,"worker":"w1","pingInterval":10000,"socketTimeout":30000,"maxFrameBytes":1048576,"resume":{"secret":"abc","window":5000,"received":300}}]]',
  },
  { name: 'received', messages: [[13, 7]], msgpack: '91 92 0d 07', json: '[[13,7]]' },
  {
    name: 'welcome of a master that takes so many messages',
    messages: [
      [
        1,
        { version: 1, worker: 'w', pingInterval: 1, socketTimeout: 3, maxFrameBytes: 65_536, maxMessageRate: 10_000 },
      ],
    ],
    msgpack:
      '91 92 01 86 a776657273696f6e 01 a6776f726b6572 a177 ac70696e67496e74657276616c 01 ' +
      'ad736f636b657454696d656f7574 03 ad6d61784672616d654279746573 ce00010000 ' +
      'ae6d61784d65737361676552617465 cd2710',
    json: '[[1,{"version":1,"worker":"w","pingInterval":1,"socketTimeout":3,"maxFrameBytes":65536,"maxMessageRate":10000}]]',
  },
  {
    name: 'grant',
    messages: [[2, 1, 3, 'k', { type: 'fibonacci', n: 10 }]],
    msgpack: '91 95 02 01 03 a16b 82 a474797065 a96669626f6e61636369 a16e 0a',
    json: '[[2,1,3,"k",{"type":"fibonacci","n":10}]]',
  },
  {
    name: 'grant of a task that is a number JSON does not know',
    messages: [[2, 1, 1, '', Number.NaN]],
    msgpack: '91 95 02 01 01 a0 cb7ff8000000000000',
    json: '[[2,1,1,"",{"$":["number","NaN"]}]]',
  },
  {
    name: 'cancel of an aborted task',
    messages: [[3, 1, 'aborted']],
    msgpack: '91 93 03 01 a761626f72746564',
    json: '[[3,1,"aborted"]]',
  },
  {
    name: 'cancel of a task whose time is over',
    messages: [[3, 2, 'timeout']],
    msgpack: '91 93 03 02 a774696d656f7574',
    json: '[[3,2,"timeout"]]',
  },
  {
    name: 'cancel of an attempt that another one was faster than',
    messages: [[3, 2, 'superseded']],
    msgpack: '91 93 03 02 aa73757065727365646564',
    json: '[[3,2,"superseded"]]',
  },
  {
    name: 'cancel of a lease that was not given back in time',
    messages: [[3, 2, 'recalled']],
    msgpack: '91 93 03 02 a8726563616c6c6564',
    json: '[[3,2,"recalled"]]',
  },
  { name: 'recall', messages: [[11, 300]], msgpack: '91 92 0b cd012c', json: '[[11,300]]' },
  { name: 'ping', messages: [[4, 128]], msgpack: '91 92 04 cc80', json: '[[4,128]]' },
];
