// One connection as the door sees it, from the upgrade until its socket is closed.
import type { ConnectionRequest } from './authentication.ts';

/** What can be ended to make room: without waiting for the peer, which would take the room as long. */
export interface Dismissed {
  dismiss(code: number, reason: string): void;
}

/** Who keeps count of guests. */
export interface GuestBook {
  greeted(guest: Guest): void;
  ended(guest: Guest, code: number, reason: string): void;
  left(guest: Guest): void;
}

/** A connection that was let in. */
export class Guest {
  /** What counts as its address; undefined if nothing is counted by address there. */
  readonly network: string | undefined;
  readonly address: string;
  /** How it was asked for; there until it is known who it is. */
  request: ConnectionRequest | undefined;
  /** There as long. */
  connection: Dismissed | undefined = undefined;
  readonly #book: GuestBook;
  /** While it is told that the peer has hung up. */
  #isHangingUp = false;

  constructor(book: GuestBook, request: ConnectionRequest, network: string | undefined) {
    this.#book = book;
    this.address = request.address;
    this.network = network;
    this.request = request;
  }

  /** It has said hello. */
  greeted(): void {
    this.#book.greeted(this);
  }

  /** It is known who it is, and it is welcome: nothing of how it came is kept for the life of the connection. */
  letIn(): void {
    this.request = undefined;
    this.connection = undefined;
  }

  /** The conversation with it is over. A code that the peer has chosen is what it thinks of us: nothing is held against it. */
  ended(code: number, reason: string): void {
    if (!this.#isHangingUp) this.#book.ended(this, code, reason);
  }

  /** Its socket is being closed, by us or for a fault of the peer's; or the peer has hung up. */
  leaves(isFault: boolean): void {
    this.#isHangingUp = !isFault;
  }

  /** Its socket is closed. */
  left(): void {
    this.#isHangingUp = false;
    this.#book.left(this);
  }
}
