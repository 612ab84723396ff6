;;; What a user writes for lsp-mode and fimserver, and what makes Emacs quiet and reachable for the test.  -*- lexical-binding: t; -*-

(setq inhibit-startup-screen t make-backup-files nil auto-save-default nil create-lockfiles nil
      lsp-session-file (expand-file-name "session" (getenv "TEST_FOLDER"))
      lsp-auto-guess-root t lsp-enable-suggest-server-download nil lsp-warn-no-matched-clients nil
      lsp-client-packages nil lsp-enable-snippet nil lsp-headerline-breadcrumb-enable nil lsp-lens-enable nil)

;; The Emacs of the tests runs through a loader of its own and cannot start a copy of itself to compile.
(setq native-comp-enable-subr-trampolines nil native-comp-jit-compilation nil)

;; Debian's package is unpacked, not installed: nobody has put it on the load path.
(dolist (folder (directory-files (getenv "LSP_MODE_SOURCES") t "^[a-z]")) (add-to-list 'load-path folder))
(load "lsp-mode-autoloads" t t)
(dolist (feature '(lsp-mode lsp-lens lsp-modeline lsp-headerline)) (require feature))

(add-to-list 'load-path (getenv "FIMSERVER_EL"))
(require 'fimserver)
(setq fimserver-command (read (getenv "FIMSERVER_COMMAND"))
      fimserver-settings '(:completion (:confidence "off" :deadline_ms 30000)))
(add-hook 'python-mode-hook #'lsp)

(setq server-socket-dir (expand-file-name "sockets" (getenv "TEST_FOLDER")) server-name "test")
(make-directory server-socket-dir t)
(set-file-modes server-socket-dir #o700)
(require 'server)
(server-start)
