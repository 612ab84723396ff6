;;; fimserver.el --- Code completion from a model on your own machine  -*- lexical-binding: t; -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1") (lsp-mode "10.0.0"))
;; Keywords: languages, tools
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Tells lsp-mode of the language server fimserver, whose suggestions lsp-mode draws as ghost text:
;;
;;     (add-to-list 'load-path "~/src/fimserver/editors/emacs")
;;     (require 'fimserver)
;;     (add-hook 'prog-mode-hook #'lsp-deferred)
;;
;; It runs beside a language's own server.  TAB accepts a suggestion; C-n and C-p go through several.
;; For eglot, which has no ghost text, see docs/editors.md.

;;; Code:

(require 'lsp-mode)
(require 'lsp-inline-completion)

(defgroup fimserver nil
  "Code completion from a model on your own machine."
  :group 'lsp-mode)

(defcustom fimserver-command '("fimserver" "serve")
  "The language server's program and its arguments."
  :type '(repeat string))

(defcustom fimserver-settings nil
  "The server's settings, by group: (:completion (:max_lines 4)).
They are listed in docs/settings.md of fimserver."
  :type 'plist)

(defcustom fimserver-idle-delay 0.2
  "Seconds without a key after which a suggestion is asked for."
  :type 'number
  :set (lambda (symbol value)
         (set-default symbol value)
         (setq lsp-inline-completion-idle-delay value)))

(lsp-register-client
 (make-lsp-client
  :server-id 'fimserver
  :new-connection (lsp-stdio-connection (lambda () fimserver-command))
  :activation-fn (lambda (_file mode) (provided-mode-derived-p mode 'prog-mode))
  :add-on? t
  :priority -2
  ;; The server speaks of its state to those who have asked for it once; `fimserver-status' asks anew each time.
  :notification-handlers (lsp-ht ("fimserver/didChangeStatus" #'ignore))
  :initialization-options (lambda () (or fimserver-settings (make-hash-table)))))

;; Both names: a terminal sends TAB, a window system <tab>.  Kept, because it must not cancel what it accepts.
(dolist (key '("TAB" "<tab>"))
  (lsp-inline-completion--define-key
   lsp-inline-completion-active-map (kbd key) #'lsp-inline-completion-accept 'keep))

(defun fimserver--ask (command)
  "Return what the server of this buffer answers to COMMAND."
  (let ((workspace (lsp-find-workspace 'fimserver nil)))
    (unless workspace
      (user-error "The server fimserver does not run in this buffer; M-x lsp starts it"))
    (with-lsp-workspace workspace
      (lsp-request "workspace/executeCommand" (list :command command :arguments [])))))

(defun fimserver-why ()
  "Say why the last suggestion was shown, or not."
  (interactive)
  (message "%s" (fimserver--ask "fimserver.why")))

(defun fimserver-status ()
  "Show the state of the server, its model and its engine."
  (interactive)
  (let ((status (fimserver--ask "fimserver.status")))
    (message "fimserver: %s%s"
             (lsp-get status :message)
             (if-let ((model (lsp-get status :model))) (format " Model: %s." model) ""))))

(provide 'fimserver)
;;; fimserver.el ends here
