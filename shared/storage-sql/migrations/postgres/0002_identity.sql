-- Which database this is: restored or moved, it is another one, and cursors end.

ALTER TABLE server ADD COLUMN identity text;
