-- What operators decide about single users makes plans old, as writing to the directory does: whom they protect or pin, whom
-- another feed gets, whom to look at again. Made anew whenever this file changes.

create or replace trigger note_decision after insert or update on sync.override
  for each statement execute function directory.note_write();

create or replace trigger note_decision after insert or update of feed_id, look_again on sync.feed_user
  for each statement execute function directory.note_write();
